"""What a run has open at a phone while it lasts, so that the next one ends what a killed one left.

A file each below the state folder, named after the process that made it. Of processes that live, nothing is
touched.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime.device.actuators.journal import default_folder, started_s
from runtime.errors import DataError

FORWARD, LOOP = "forward", "loop"  # a port that leads to the phone; a shell there that looks at something
_FOLDER = "adb"


@dataclass(frozen=True)
class Leftover:
    """Something open at a phone.

    Attributes:
        kind: ``FORWARD`` or ``LOOP``.
        what: of a forward ``tcp:PORT REMOTE``, as adb lists it; of a loop the file that it goes on by.
    """

    serial: str
    kind: str
    what: str
    pid: int
    started_s: float


def keep(serial: str, kind: str, what: str) -> Path:
    """Note that this process has something open; remove the file once it is closed.

    Raises:
        DataError: the state folder cannot be written.
    """
    pid = os.getpid()
    path = default_folder() / _FOLDER / f"{uuid.uuid4().hex}.json"
    mine = Leftover(serial, kind, what, pid, started_s(pid) or 0.0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(mine))
    except OSError as err:
        raise DataError(
            f"cannot write {path} ({err.strerror}); set XDG_STATE_HOME to a folder that is writable"
        ) from err
    return path


def left_behind(serial: str, kind: str) -> Iterator[str]:
    """Yield what processes that are gone left open at a phone; it is forgotten once the caller goes on."""
    for path in sorted((default_folder() / _FOLDER).glob("*.json")):
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            left = msgspec.json.decode(path.read_bytes(), type=Leftover)
            if (left.serial, left.kind) == (serial, kind) and started_s(left.pid) != left.started_s:
                yield left.what
                path.unlink()
