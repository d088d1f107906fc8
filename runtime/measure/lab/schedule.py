"""Which job may start when: bookkeeping only, with the time handed in, so that it can be tested.

One lane per target. A machine does one job at a time, whatever targets it plays: two of them at once
would disturb each other's figures. A target that vanishes is tried again after a wait that doubles;
after too many times in a row it is set aside, and the other lanes go on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from runtime.measure.lab.jobs import DONE, FAILED, RETRY, LabJob, LabOutcome
from runtime.measure.lab.plan import RetrySpec
from runtime.targets import TargetName

PENDING, RUNNING, SET_ASIDE = "pending", "running", "set aside"


@dataclass
class _Lane:
    target: str
    jobs: deque[LabJob]
    tries: int = 0
    ready_s: float = 0.0
    running: LabJob | None = None


@dataclass
class Status:
    """Where one job stands: ``pending``, ``running``, ``done``, ``failed`` or ``set aside``, and why."""

    state: str = PENDING
    reason: str = ""


@dataclass
class Schedule:
    """Jobs of many targets, in the order given, and where each stands."""

    jobs: Sequence[LabJob]
    retry: RetrySpec = field(default_factory=RetrySpec)

    def __post_init__(self) -> None:
        self.status = {job.key: Status() for job in self.jobs}
        targets = dict.fromkeys(job.target for job in self.jobs)
        self._lanes = {
            target: _Lane(target, deque(job for job in self.jobs if job.target == target))
            for target in targets
        }

    @property
    def is_finished(self) -> bool:
        """Whether nothing runs and nothing is left to start."""
        return not any(lane.jobs or lane.running for lane in self._lanes.values())

    @property
    def is_complete(self) -> bool:
        """Whether every job is done."""
        return all(status.state == DONE for status in self.status.values())

    def start(self, now_s: float) -> list[LabJob]:
        """Return the jobs that start now; they count as running until ``finish``."""
        busy = {TargetName.parse(lane.target).machine for lane in self._lanes.values() if lane.running}
        started = []
        for lane in self._lanes.values():
            machine = TargetName.parse(lane.target).machine
            if lane.jobs and lane.running is None and lane.ready_s <= now_s and machine not in busy:
                lane.running = lane.jobs.popleft()
                self.status[lane.running.key] = Status(RUNNING)
                started.append(lane.running)
                busy.add(machine)
        # Whoever started goes to the end of the queue, so that targets of one machine take turns.
        for job in started:
            self._lanes[job.target] = self._lanes.pop(job.target)
        return started

    def finish(self, job: LabJob, outcome: LabOutcome, now_s: float) -> None:
        """Note how a job ended and decide what becomes of its target."""
        lane = self._lanes[job.target]
        lane.running = None
        self.status[job.key] = Status(outcome.kind, outcome.reason)
        if outcome.kind in (DONE, FAILED):
            lane.tries = 0
            return
        assert outcome.kind == RETRY
        lane.tries = 1 if outcome.n_records else lane.tries + 1  # it came on: not the same trouble
        lane.jobs.appendleft(job)
        self.status[job.key] = Status(PENDING, outcome.reason)
        if lane.tries >= self.retry.attempts:
            why = f"{outcome.reason} ({lane.tries} times in a row)"
            for left in lane.jobs:
                self.status[left.key] = Status(SET_ASIDE, why)
            lane.jobs.clear()
        else:
            wait_s = self.retry.backoff_s * 2 ** (lane.tries - 1)
            lane.ready_s = now_s + min(wait_s, self.retry.max_backoff_s)

    def abandon(self, job: LabJob) -> None:
        """Note that a job was stopped before its end; it is pending for the next run."""
        self._lanes[job.target].running = None
        self.status[job.key] = Status(PENDING, "interrupted")

    def wait_s(self, now_s: float) -> float | None:
        """Return how long until a waiting target is tried again; ``None`` if none waits."""
        waits = [lane.ready_s - now_s for lane in self._lanes.values() if lane.jobs and not lane.running]
        later = [wait_s for wait_s in waits if wait_s > 0]
        return min(later, default=None)
