"""An executor without Ray, which takes seconds to start: each job runs when it is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from runtime.measure.lab.executor import LabRecords
from runtime.measure.lab.jobs import LabJob, LabOutcome, run_job
from runtime.measure.records import Record


class InlineExecutor:
    def __init__(self, records: LabRecords, sleep: Callable[[float], None] = time.sleep):
        self._records, self._sleep = records, sleep
        self._jobs: list[tuple[LabJob, Sequence[Record]]] = []

    def start(self, job: LabJob, known: Sequence[Record]) -> None:
        self._jobs.append((job, known))

    def wait(self, timeout_s: float | None) -> list[tuple[LabJob, LabOutcome]]:
        if not self._jobs:
            self._sleep(timeout_s or 0.0)
            return []
        job, known = self._jobs.pop(0)
        return [(job, run_job(job, known, lambda record: self._records.append(job.target, record)))]

    def close(self) -> None:
        self._jobs.clear()
