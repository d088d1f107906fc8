"""This machine, or an emulated one from inside: a browser of its own, its threads on one core."""

from __future__ import annotations

import contextlib
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from runtime.device.actuators import born_of, move, restore_places
from runtime.device.conditions import Conditions
from runtime.device.meters import EnergyReading, read_conditions, read_device
from runtime.device.meters.cpu_time import read_own_time_s
from runtime.device.meters.probe import time_probe_ms
from runtime.device.setting import Setting
from runtime.targets.local import HeldSetting, LocalTarget
from runtime.web.browser.chromium import Browser, Launch
from runtime.web.browser.connection import Connection
from runtime.web.browser.display import Headless
from runtime.web.browser.page import Page
from runtime.web.browser.processes import threads_by_role
from runtime.web.interaction.job import WebJob
from runtime.web.interaction.subject import Subject, load

T = TypeVar("T")
_SETTLE_S = 0.1  # queues on the core that was left run empty


class LocalMachine:
    """See ``Machine``."""

    is_remote = False
    remarks: tuple[str, ...] = ()

    def __init__(self, target: LocalTarget):
        self.name, self.provenance, self.profile = target.name, target.provenance, target.profile
        self.display, self.device, self.kernel = Headless(), read_device(target.root), platform.release()
        self._target = target

    @property
    def energy_note(self) -> str:
        return self._target.energy_note

    def settings(self) -> tuple[Setting, ...]:
        return self._target.settings()

    @contextlib.contextmanager
    def browser(self, job: WebJob) -> Iterator[Connection]:
        binary = None if job.browser is None else Path(job.browser)
        launch = Launch(binary, only_loopback=job.only_loopback)
        with Browser(launch) as browser, Connection(browser.endpoint) as connection:
            yield connection

    def load(self, connection: Connection, url: str, name: str, job: WebJob) -> Subject:
        return load(connection, url, name, job.viewport)

    def lost(self, err: Exception) -> str:
        return f"{err}; the browser is started again"

    @contextlib.contextmanager
    def placed(self, subject: Subject, setting: Setting) -> Iterator[HeldSetting]:
        with self._target.hold(setting) as held:
            if held.cpus is None:
                yield held
                return
            places = move(tuple(threads_by_role(subject.drawing)), held.cpus)
            try:
                time.sleep(_SETTLE_S)
                yield held
            finally:
                restore_places(places, born_of(places))

    def check(self, page: Page) -> None:
        """Nothing to see: a browser without a window draws all the same."""

    def clock_ahead_s(self, page: Page) -> float:
        return 0.0

    def read_khz(self, held: HeldSetting) -> int | None:
        return None if held.domain is None else self._target.cpufreq.read_khz(held.domain)

    def conditions(self, subject: Subject, held: HeldSetting, *, probe: bool = False) -> Conditions:
        found = read_conditions(
            self._target.root,
            cpus=held.cpus,
            policy=None if held.domain is None else held.domain.path,
            probe=probe,
        )
        own = [read_own_time_s(pid) for pid in (subject.drawing.renderer, subject.drawing.gpu)]
        if any(each is None for each in own):
            return found
        # Its threads queue behind each other on one core: their waiting is no sign of others.
        return replace(
            found,
            own_busy_s=sum(each[0] for each in own if each is not None),
            edgekit_busy_s=time.process_time() + subject.helpers_busy_s(),
        )

    def probe_ms(self, held: HeldSetting | None = None) -> float | None:
        return time_probe_ms(None if held is None else held.cpus)

    def metered(self, work: Callable[[], T]) -> tuple[T, EnergyReading | None]:
        return self._target.meter.measure(0, work)
