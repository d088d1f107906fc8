"""A phone as a machine that draws pages: its Chrome, or an app's web view, attached to over adb."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from runtime.device.conditions import Conditions
from runtime.device.meters import EnergyReading
from runtime.device.setting import Setting
from runtime.device.soc import SocProfile
from runtime.device.soc.profile import join
from runtime.errors import DeviceTransientError, WebError
from runtime.targets.adb.devices import check_ready
from runtime.targets.adb.sampling import UPTIME
from runtime.targets.adb.target import AdbTarget
from runtime.targets.adb.threads import moved, read_busy_s, read_times
from runtime.targets.local import HeldSetting
from runtime.targets.target import settings_of
from runtime.web.browser.attach import CHROME_SOCKET, forwarded
from runtime.web.browser.connection import Connection
from runtime.web.browser.page import Page
from runtime.web.browser.processes import process_ids
from runtime.web.browser.thread_times import ThreadTime, parse_schedstat
from runtime.web.interaction.job import WebJob
from runtime.web.interaction.subject import Subject, settled
from runtime.web.phone.clock import clock_ahead_s
from runtime.web.phone.display import PhoneDisplay, check_lit
from runtime.web.phone.layers import parse_package
from runtime.web.phone.loopback import Reversed, block_remote_hosts, reversed_ports
from runtime.web.phone.pages import leaving_as_found, open_on_phone

T = TypeVar("T")
_SETTLE_S = 0.1  # queues on the cores that were left run empty
_UNHELD = "the phone chose cores and clocks itself: without root it is measured, not governed"


class PhoneMachine:
    """See ``Machine``."""

    is_remote = True
    provenance = "measured"

    def __init__(self, target: AdbTarget):
        self._target, self._shell = target, target.shell
        self.name, self.device, self.kernel = target.name, target.device, target.device["kernel"]
        self.profile, self._is_held = playable_profile(target), is_held(target)
        self.remarks: tuple[str, ...] = () if self._is_held else (_UNHELD,)
        self.display = PhoneDisplay(self._shell)
        self._ports = Reversed(self._shell)
        self._pids: Sequence[int] = ()

    @property
    def energy_note(self) -> str:
        return self._target.energy_note

    def settings(self) -> tuple[Setting, ...]:
        return settings_of(self.profile, (1,), (), with_clocks=self._is_held)

    @contextlib.contextmanager
    def browser(self, job: WebJob) -> Iterator[Connection]:
        check_lit(self._shell)
        with contextlib.ExitStack() as stack:
            endpoint = stack.enter_context(forwarded(self._shell.serial, job.devtools or CHROME_SOCKET))
            self._ports = stack.enter_context(reversed_ports(self._shell))
            connection = stack.enter_context(Connection(endpoint, self._read_threads))
            stack.enter_context(leaving_as_found(connection, job.devtools))
            yield connection

    def load(self, connection: Connection, url: str, name: str, job: WebJob) -> Subject:
        self._ports.reach(url)
        page = open_on_phone(connection, job.devtools)
        try:
            if job.only_loopback:
                block_remote_hosts(page)
        except BaseException:
            page.close()
            raise
        subject = settled(page, url, name)
        pids = process_ids(page)
        self._pids = [pid for each in pids.values() for pid in each]
        self.display.package = self._package_of(pids.get("browser", []))
        return subject

    def lost(self, err: Exception) -> str:
        check_ready(self._shell.serial)
        return f"{err}; the phone's browser is attached to again"

    @contextlib.contextmanager
    def placed(self, subject: Subject, setting: Setting) -> Iterator[HeldSetting]:
        if not self._is_held:
            yield HeldSetting(setting, None, None, None, "threads")
            return
        drawers = dict.fromkeys((subject.drawing.renderer, subject.drawing.gpu))
        with self._target.hold(setting) as held, contextlib.ExitStack() as stack:
            if held.cpus is not None:
                stack.enter_context(moved(self._shell, self._target.journal, tuple(drawers), held.cpus))
                time.sleep(_SETTLE_S)
            yield held

    def check(self, page: Page) -> None:
        check_lit(self._shell)
        if page.evaluate("document.visibilityState") != "visible":
            raise DeviceTransientError(
                f"{self.name}: the page is not on the screen, another app or tab is; bring the browser to "
                "the front and leave the phone alone, then run again: what was measured is kept"
            )

    def clock_ahead_s(self, page: Page) -> float:
        return clock_ahead_s(page)

    def read_khz(self, held: HeldSetting) -> int | None:
        is_asked = held.domain is not None and held.setting.freq_khz is not None
        return self._target.cpufreq.read_khz(held.domain) if is_asked and held.domain else None

    def conditions(self, subject: Subject, held: HeldSetting, *, probe: bool = False) -> Conditions:
        found = self._target.reader(held).read()
        # Its own threads wait for each other, so what the phone says of waiting is no sign of others.
        return replace(found, own_busy_s=read_busy_s(self._shell, self._pids), pressure_s=None)

    def probe_ms(self, held: HeldSetting | None = None) -> float | None:
        return None

    def metered(self, work: Callable[[], T]) -> tuple[T, EnergyReading | None]:
        if self._target.meter.found.meter is None:
            return work(), None
        done: list[T] = []

        def timed() -> tuple[float, float]:
            started_s = time.monotonic()
            done.append(work())
            ended_s = time.monotonic()
            return self._uptime_s() - (time.monotonic() - ended_s), ended_s - started_s

        energy = self._target.meter.measure(0, timed, "while the gesture lasted")
        return done[0], energy

    def _uptime_s(self) -> float:
        """Return for how long the phone has run by the end of the call."""
        asked_s = time.monotonic()
        found = UPTIME.match(self._shell.run("cat /proc/uptime").strip())
        if found is None:
            raise DeviceTransientError(f"{self.name} shows no /proc/uptime; use --meter none")
        return float(found[0]) + (time.monotonic() - asked_s) / 2

    def _read_threads(self, pids: Sequence[int]) -> list[ThreadTime]:
        found = [
            ThreadTime(pid, tid, name, parse_schedstat(times))
            for pid, tid, name, times in read_times(self._shell, pids)
        ]
        if not found:
            raise WebError(
                f"{self.name} shows no threads of the browser's processes {', '.join(map(str, pids))}; "
                "it ended, or this phone hides them from a shell"
            )
        return found

    def _package_of(self, pids: Sequence[int]) -> str | None:
        lines = self._shell.run("; ".join(f"cat /proc/{pid}/cmdline" for pid in pids) + "; true")
        return parse_package(lines)


def is_held(target: AdbTarget) -> bool:
    """Return whether a phone lets clocks be set and other programs' threads be moved."""
    return target.capability.level == "sysfs"


def playable_profile(target: AdbTarget) -> SocProfile:
    """Return a phone's clusters and clocks; one cluster of all its CPUs where none can be chosen."""
    profile = target.profile
    if is_held(target):
        return profile
    every = join(profile.clusters) if len(profile.clusters) > 1 else profile.clusters[0]
    return replace(profile, clusters=(replace(every, opps=(), members=()),))
