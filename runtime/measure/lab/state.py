"""Where every job of a lab stands, on the disk: for ``edgekit lab status`` and for who reads it next day."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import msgspec

from runtime.bundle import write_atomic
from runtime.bundle.decoding import decode_json
from runtime.errors import DeviceTransientError
from runtime.measure.lab.schedule import Schedule

_FILE = "state.json"


@dataclass(frozen=True)
class JobState:
    """One job: ``pending``, ``running``, ``done``, ``failed`` or ``set aside``, and why."""

    target: str
    bundle: str
    variant: str
    block: int
    state: str
    reason: str
    updated_utc: str


def write_states(out: str | Path, schedule: Schedule) -> None:
    """Note where all jobs stand."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    states = [JobState(*key, status.state, status.reason, now) for key, status in schedule.status.items()]
    write_atomic(Path(out) / _FILE, msgspec.json.format(msgspec.json.encode(states), indent=1))


def read_states(out: str | Path) -> list[JobState]:
    """Return where all jobs stood when that was last noted; empty before the first run.

    Raises:
        DataError: the note is damaged.
    """
    path = Path(out) / _FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    advice = "remove it: the records are kept elsewhere"
    states: list[JobState] = decode_json(data, list[JobState], where=f"{path} is damaged", advice=advice)
    return states


@contextlib.contextmanager
def only_run(out: str | Path, command: str = "edgekit lab run") -> Iterator[None]:
    """Make sure that no other run of ``command`` writes to this folder inside the block.

    Raises:
        DeviceTransientError: one does.
    """
    Path(out).mkdir(parents=True, exist_ok=True)
    lock = os.open(Path(out) / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise DeviceTransientError(
                f"another {command} is writing to {out}; wait for it, or give this plan an out of its own"
            ) from err
        yield
    finally:
        os.close(lock)
