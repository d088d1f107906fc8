"""Who runs jobs: an interface, and the plain way, one after the other in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from runtime.bundle.names import slug
from runtime.measure.lab.jobs import Job, Outcome, run_job
from runtime.measure.records import Record, RecordLog


class Executor(Protocol):
    """Starts jobs and says when they are over."""

    def start(self, job: Job, known: Sequence[Record]) -> None:
        """Begin a job."""

    def wait(self, timeout_s: float | None) -> list[tuple[Job, Outcome]]:
        """Return jobs that ended; empty after ``timeout_s`` without one. ``None`` waits for one."""

    def close(self) -> None:
        """Stop what still runs, so that every target is left as it was."""


class Records:
    """The record logs of a lab: one file per target, each record on the disk before the next is made."""

    def __init__(self, out: str | Path):
        self.folder = Path(out) / "records"

    def log(self, target: str) -> RecordLog:
        """Return the log of a target."""
        return RecordLog(self.folder / f"{slug(target)}.jsonl")

    def append(self, target: str, record: Record) -> None:
        """Keep a record."""
        self.log(target).append(record)


class InlineExecutor:
    """Runs each job when it is waited for."""

    def __init__(self, records: Records, sleep: Callable[[float], None] = time.sleep):
        self._records, self._sleep = records, sleep
        self._jobs: list[tuple[Job, Sequence[Record]]] = []

    def start(self, job: Job, known: Sequence[Record]) -> None:
        self._jobs.append((job, known))

    def wait(self, timeout_s: float | None) -> list[tuple[Job, Outcome]]:
        if not self._jobs:
            self._sleep(timeout_s or 0.0)
            return []
        job, known = self._jobs.pop(0)
        return [(job, run_job(job, known, lambda record: self._records.append(job.target, record)))]

    def close(self) -> None:
        self._jobs.clear()
