"""Runs of gestures on pages, in random order, until each frame rate is known well enough."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from runtime.device.setting import Setting
from runtime.errors import PageError, WebError
from runtime.measure.records import Record
from runtime.web.browser.connection import Connection
from runtime.web.gestures.gesture import Gesture
from runtime.web.gestures.room import to_top
from runtime.web.interaction.filming import film
from runtime.web.interaction.job import (
    FeaturesRead,
    Filmed,
    Known,
    Measured,
    Message,
    PageToMeasure,
    Remark,
    Step,
    WebJob,
)
from runtime.web.interaction.machine import Machine
from runtime.web.interaction.run import RunPlan, measure
from runtime.web.interaction.subject import Subject
from runtime.web.pages.features import read_features
from runtime.web.pages.features.listener_costs import with_listeners

_TRIES = 2  # of a page; one that crashes a browser twice is left out


def run_job(machine: Machine, job: WebJob, on_message: Callable[[Message], None]) -> None:
    """Measure every page of a job; one that cannot be measured is told and left out.

    Raises:
        WebError: the machine has no browser.
        DeviceError, PermissionNeeded: it cannot hold a setting, or is gone.
    """
    waiting = list(job.pages)
    tries = dict.fromkeys((page.name for page in waiting), 0)
    runs = _Runs(machine, job)
    while waiting:
        with machine.browser(job) as connection:
            while waiting:
                if runs.is_over:
                    return
                page = waiting[0]
                tries[page.name] += 1
                try:
                    _measure_page(machine, connection, job, page, runs, on_message)
                except PageError as err:
                    on_message(Remark(f"{page.name}: {err}"))
                    if tries[page.name] < _TRIES and page.name in runs.begun:
                        continue  # it had worked: load it again
                except WebError as err:
                    on_message(Remark(f"{page.name}: {machine.lost(err)}"))
                    if tries[page.name] >= _TRIES:
                        waiting.pop(0)
                    break
                waiting.pop(0)


class _Runs:
    """Frame rates of the runs so far."""

    def __init__(self, machine: Machine, job: WebJob):
        self._job, self._start_s = job, time.monotonic()
        self._fps: dict[object, list[float]] = {}
        self._machine = (machine.kernel, machine.device.get("name", ""))
        self.begun: set[str] = set()

    @property
    def is_over(self) -> bool:
        """Whether the time that the job was given is."""
        return self._job.most_s is not None and time.monotonic() - self._start_s > self._job.most_s

    def of(self, subject: Subject, gesture: Gesture, setting: Setting) -> list[float]:
        """Return those of a gesture on a page under a setting, by this browser on this machine."""
        key = (subject.name, subject.sha256, gesture.name, setting, subject.browser)
        if key not in self._fps:
            self._fps[key] = [run.fps for run in self._known(*key) if not run.is_detailed]
        return self._fps[key]

    def has_details(self, subject: Subject, gesture: Gesture, setting: Setting) -> bool:
        """Return whether one of them had Chrome's reports."""
        key = (subject.name, subject.sha256, gesture.name, setting, subject.browser)
        return any(run.is_detailed for run in self._known(*key))

    def _known(self, *key: object) -> Iterator[Known]:
        for run in self._job.known:
            is_same = (run.page, run.sha256, run.gesture, run.setting, run.engine) == key
            if is_same and (run.kernel, run.device) == self._machine:
                yield run


def _measure_page(
    machine: Machine,
    connection: Connection,
    job: WebJob,
    page: PageToMeasure,
    runs: _Runs,
    on_message: Callable[[Message], None],
) -> None:
    on_message(Step(f"loading {page.name}"))
    offered = machine.settings()
    subject = machine.load(connection, page.url, page.name, job)
    try:
        if page.name in job.read_features:
            features = read_features(subject.page)
            if job.with_listeners:
                features = with_listeners(subject.page, features)
            to_top(subject.page, subject.room.scale)
            on_message(FeaturesRead(page.name, features))
        playable = [setting for setting in page.settings if setting in offered]
        if slow := [str(setting) for setting in page.settings if setting not in offered]:
            on_message(Remark(f"{', '.join(slow)}: not to be had on this machine; left out"))
        order = random.Random(f"{job.seed} {page.name}")
        probes_ms: dict[object, list[float]] = {}
        for number in range(job.most_runs):
            visits = [
                (gesture, setting)
                for gesture in job.gestures
                for setting in playable
                if not job.is_enough(runs.of(subject, gesture, setting))
            ]
            order.shuffle(visits)
            for gesture, setting in visits:
                if runs.is_over:
                    return
                on_message(Step(f"{page.name}: {gesture.name} on {setting}, run {number + 1}"))
                earlier_ms = probes_ms.setdefault(setting, [])
                record = _run(machine, subject, job, RunPlan(gesture, setting, block=number), earlier_ms)
                earlier_ms += record.probes_ms if record.is_trusted else ()
                runs.of(subject, gesture, setting).append(record.fps)
                runs.begun.add(page.name)
                on_message(Measured(record))
        for gesture, setting in itertools.product(job.gestures, playable) if job.with_details else ():
            if runs.is_over or runs.has_details(subject, gesture, setting):
                continue
            on_message(Step(f"{page.name}: {gesture.name} on {setting}, in detail"))
            plan = RunPlan(gesture, setting, block=job.most_runs, is_detailed=True)
            on_message(Measured(_run(machine, subject, job, plan, probes_ms.get(setting, ()))))
        for gesture, setting in itertools.product(job.gestures, playable) if job.with_films else ():
            if runs.is_over or (subject.name, subject.sha256, gesture.name, setting) in job.filmed:
                continue
            on_message(Step(f"{page.name}: {gesture.name} on {setting}, filmed"))
            with machine.placed(subject, setting):
                on_message(Filmed(film(machine, subject, gesture, setting, job.duration_s)))
    finally:
        subject.page.close()


def _run(
    machine: Machine, subject: Subject, job: WebJob, plan: RunPlan, earlier_probes_ms: Sequence[float]
) -> Record:
    plan = replace(
        plan,
        duration_s=job.duration_s,
        seed=job.seed,
        run=job.run,
        earlier_probes_ms=tuple(earlier_probes_ms),
    )
    with machine.placed(subject, plan.setting) as held:
        return measure(machine, subject, held, plan)
