"""Who runs jobs, as an interface, and where their records are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from runtime.bundle.names import slug
from runtime.measure.lab.jobs import LabJob, LabOutcome
from runtime.measure.records import Record, RecordLog


class Executor(Protocol):
    """Starts jobs and says when they are over."""

    def start(self, job: LabJob, known: Sequence[Record]) -> None:
        """Begin a job."""

    def wait(self, timeout_s: float | None) -> list[tuple[LabJob, LabOutcome]]:
        """Return jobs that ended; empty after ``timeout_s`` without one. ``None`` waits for one."""

    def close(self) -> None:
        """Stop what still runs, so that every target is left as it was."""


class LabRecords:
    """The record logs of a lab: one file per target, each record on the disk before the next is made."""

    def __init__(self, out: str | Path):
        self.folder = Path(out) / "records"

    def log(self, target: str) -> RecordLog:
        """Return the log of a target."""
        return RecordLog(self.folder / f"{slug(target)}.jsonl")

    def append(self, target: str, record: Record) -> None:
        """Keep a record."""
        self.log(target).append(record)
