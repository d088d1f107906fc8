"""Runs of gestures on pages, in random order, until each frame rate is known well enough."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from runtime.errors import PageError, WebError
from runtime.targets.local import LocalTarget
from runtime.web.browser.chromium import Browser, Launch
from runtime.web.browser.connection import Connection
from runtime.web.interaction.job import Measured, PageToMeasure, Remark, Step, Told, WebJob
from runtime.web.interaction.place import placed
from runtime.web.interaction.run import RunPlan, measure
from runtime.web.interaction.subject import Subject, load

_TRIES = 2  # of a page; one that crashes a browser twice is left out


def run_job(target: LocalTarget, job: WebJob, tell: Callable[[Told], None]) -> None:
    """Measure every page of a job; one that cannot be measured is told and left out.

    Raises:
        WebError: the machine has no browser.
        DeviceError, PermissionNeeded: it cannot hold a setting.
    """
    waiting = list(job.pages)
    tries = dict.fromkeys((page.name for page in waiting), 0)
    runs = _Runs(job)
    while waiting:
        with _browser(job) as connection:
            while waiting:
                page = waiting[0]
                tries[page.name] += 1
                try:
                    _measure_page(target, connection, job, page, runs, tell)
                except PageError as err:
                    tell(Remark(f"{page.name}: {err}"))
                    if tries[page.name] < _TRIES and page.name in runs.begun:
                        continue  # it had worked: load it again
                except WebError as err:
                    tell(Remark(f"{page.name}: {err}; the browser is started again"))
                    if tries[page.name] >= _TRIES:
                        waiting.pop(0)
                    break
                waiting.pop(0)


class _Runs:
    """Frame rates of the runs so far."""

    def __init__(self, job: WebJob):
        self._fps: dict[tuple[object, ...], list[float]] = {}
        self.begun: set[str] = set()
        for run in job.known:
            self.of(run.page, run.sha256, run.gesture, run.setting).append(run.fps)

    def of(self, *key: object) -> list[float]:
        """Return those of a page, its digest, a gesture's name and a setting."""
        return self._fps.setdefault(key, [])


@contextlib.contextmanager
def _browser(job: WebJob) -> Iterator[Connection]:
    binary = None if job.browser is None else Path(job.browser)
    launch = Launch(binary, only_loopback=job.only_loopback)
    with Browser(launch) as browser, Connection(browser.endpoint) as connection:
        yield connection


def _measure_page(
    target: LocalTarget,
    connection: Connection,
    job: WebJob,
    page: PageToMeasure,
    runs: _Runs,
    tell: Callable[[Told], None],
) -> None:
    tell(Step(f"loading {page.name}"))
    subject = load(connection, page.url, page.name, job.viewport)
    try:
        order = random.Random(f"{job.seed} {page.name}")
        probes_ms: dict[object, list[float]] = {}
        for number in range(job.most_runs):
            visits = [
                (gesture, setting)
                for gesture in job.gestures
                for setting in page.settings
                if not job.is_enough(runs.of(page.name, subject.sha256, gesture.name, setting))
            ]
            order.shuffle(visits)
            for gesture, setting in visits:
                tell(Step(f"{page.name}: {gesture.name} on {setting}, run {number + 1}"))
                earlier_ms = probes_ms.setdefault(setting, [])
                plan = RunPlan(gesture, setting, job.duration_s, number, job.seed, job.run, tuple(earlier_ms))
                with placed(target, subject, setting) as held:
                    record = measure(target, subject, held, plan)
                earlier_ms += record.probes_ms if record.is_trusted else ()
                runs.of(page.name, subject.sha256, gesture.name, setting).append(record.fps)
                runs.begun.add(page.name)
                tell(Measured(record))
    finally:
        _close(subject)


def _close(subject: Subject) -> None:
    with contextlib.suppress(WebError):
        subject.page.close()
