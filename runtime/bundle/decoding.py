"""Files and messages that others wrote, read within bounds: whatever is wrong with one is one error of ours.

Depth, size, encoding and types fail in a library each in its own way; users see the name of the file, what
is wrong with it and what to do.
"""

from __future__ import annotations

import lzma
import os
import stat
import struct
import sys
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from runtime.errors import DataError, EdgekitError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")
MOST_BYTES = 64 << 20  # of a document; the largest of ours, a manifest of a thousand ops, has below 1 MB
# What numpy, zipfile and zlib raise at damaged .npy and .npz files, between them.
ARRAY_ERRORS = (
    *(OSError, ValueError, EOFError, AttributeError, TypeError, KeyError, SyntaxError, RuntimeError),
    *(MemoryError, OverflowError, NotImplementedError, struct.error, zipfile.BadZipFile, zlib.error),
    *(lzma.LZMAError, tokenize.TokenError),
)
_BROKEN = (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError, MemoryError)


def decode_json(
    data: bytes,
    kind: type[T] | Any = Any,
    *,
    where: str,
    advice: str,
    error: type[Exception] = DataError,
    most_bytes: int = MOST_BYTES,
) -> T:
    """Return the JSON in ``data`` as ``kind``, checked.

    Args:
        where: what it is, or the file's name, for the error: its first words.
        advice: what to do about a damaged one, for the error: its last words.
        error: class of the error.
        most_bytes: longer data is refused unread.

    Raises:
        Exception: ``error``: it is too long, too deep, no JSON, no UTF-8 or does not fit ``kind``.

    Example:
        >>> decode_json(b'{"a": 1}', dict[str, int], where="a.json", advice="write it again")
        {'a': 1}
    """
    if len(data) > most_bytes:
        raise error(f"{where} has {len(data)} bytes; at most {most_bytes} are read; {advice}")
    try:
        decoded: T = msgspec.json.decode(data, type=kind)
    except _BROKEN as err:
        raise error(f"{where} ({why(_bad_text(data) or err)}); {advice}") from err
    return decoded


def _bad_text(data: bytes) -> UnicodeDecodeError | None:
    """Return where ``data`` is no UTF-8, if it is none: from 0.23 on msgspec does not say."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as err:
        return err
    return None


def decode_toml(
    data: bytes, *, where: str, advice: str, error: type[Exception] = DataError
) -> dict[str, Any]:
    """Return the TOML in ``data``; arguments and errors as for ``decode_json``."""
    if len(data) > MOST_BYTES:
        raise error(f"{where} has {len(data)} bytes; at most {MOST_BYTES} are read; {advice}")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (
        tomllib.TOMLDecodeError,
        ValueError,
        RecursionError,
    ) as err:  # ValueError: 5000 digits, a 13th month
        raise error(f"{where} ({why(err)}); {advice}") from err


def read_regular(
    path: Path, *, advice: str, error: type[EdgekitError], most_bytes: int = MOST_BYTES
) -> bytes:
    """Return what the file at ``path`` holds; a pipe or a device is refused, not waited for.

    Raises:
        OSError: it cannot be opened.
        EdgekitError: ``error``: it is no regular file, or longer than ``most_bytes``.
    """
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(file, "rb") as stream:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise error(f"{path} is no regular file; {advice}")
        if found.st_size > most_bytes:
            raise error(f"{path} has {found.st_size} bytes; at most {most_bytes} are read; {advice}")
        return stream.read(most_bytes)


def read_json(path: Path, kind: type[T] | Any, *, where: str, advice: str, error: type[EdgekitError]) -> T:
    """Return the JSON in the file at ``path`` as ``kind``, checked.

    Args:
        where: what is wrong with a damaged file, for the error: its first words. The rest as ``decode_json``.

    Raises:
        EdgekitError: ``error``: it cannot be read, or as ``read_regular`` and ``decode_json``.
    """
    try:
        data = read_regular(path, advice=advice, error=error)
    except OSError as err:
        raise error(f"{path} cannot be read ({err.strerror}); {advice}") from err
    found: T = decode_json(data, kind, where=where, advice=advice, error=error)
    return found


def refuse_aliases(yaml: Any, data: bytes, where: str) -> None:
    """Refuse ``*name`` in YAML: a few lines of them stand for more values than fit into memory.

    Args:
        yaml: the module of PyYAML.

    Raises:
        DataError: ``data`` has one.
        YAMLError, ValueError, RecursionError: it is no YAML.
    """
    if b"*" not in data:
        return
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(data, Loader=loader)):
        raise DataError(f"{where} has aliases (*name), which are not read; write the values out")


def refuse_special(path: Path) -> None:
    """Refuse a pipe or a device in a file's place: reading it would wait, or never end.

    Raises:
        DataError: ``path`` is there and is no regular file.
    """
    if path.exists() and not path.is_file():
        raise DataError(f"{path} is no regular file; give another")


def why(err: BaseException) -> str:
    """Return what is wrong with a document, in a few words."""
    if isinstance(err, RecursionError):
        return "it is nested too deep"
    if isinstance(err, OSError) and err.strerror:
        return err.strerror
    if isinstance(err, MemoryError):
        return "it does not fit into memory"
    if isinstance(err, UnicodeDecodeError):
        return f"it is not UTF-8 text: {err.reason} at byte {err.start}"
    return " ".join(str(err).split())[:400] or type(err).__name__
