"""Records of gestures as they are kept: in files that only grow, or compressed once they are complete."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from runtime.bundle.decoding import MOST_BYTES
from runtime.errors import DataError
from runtime.measure.records import Record, RecordLog

_COMPRESSED = ".gz"
_MOST_UNPACKED = 8 * MOST_BYTES


def read_records(paths: Iterable[Path]) -> list[Record]:
    """Return the records of files, JSON Lines, plain or as ``.jsonl.gz``.

    Raises:
        DataError: a file is missing or damaged.
        VersionConflict: a file was written by a newer edgekit.
    """
    found: list[Record] = []
    for path in paths:
        if not path.is_file():
            raise DataError(f"{path} is no file of records; measure some: edgekit web profile")
        if path.suffix != _COMPRESSED:
            found += RecordLog(path)
            continue
        with tempfile.TemporaryDirectory() as folder:
            unpacked = Path(folder) / path.name.removesuffix(_COMPRESSED)
            unpacked.write_bytes(_unpacked(path))
            found += RecordLog(unpacked)
    return found


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.open(path) as stream:
            data = stream.read(_MOST_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as err:
        raise DataError(f"{path} cannot be unpacked ({err}); get it again") from err
    if len(data) > _MOST_UNPACKED:
        raise DataError(f"{path} unpacks to more than {_MOST_UNPACKED} bytes; give records in several files")
    return data
