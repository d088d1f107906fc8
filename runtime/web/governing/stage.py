"""A page on which gestures are done under one governor after another, watched over time."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from runtime.device.setting import Setting
from runtime.device.sysfs import read_text
from runtime.errors import WebError
from runtime.targets.local import HeldSetting, LocalTarget
from runtime.web.browser.display import HEADLESS_HZ, lag_s
from runtime.web.browser.page import Page
from runtime.web.browser.processes import find_processes
from runtime.web.frames.displayed import traced
from runtime.web.gestures.gesture import Gesture
from runtime.web.gestures.perform import Performed, perform
from runtime.web.gestures.room import look
from runtime.web.governing.gesture_run import GovernedGesture
from runtime.web.governing.machine_watch import MachineWatch
from runtime.web.governing.page_governor import PageGovernor
from runtime.web.governing.trials import HELD, OURS, Trial
from runtime.web.interaction.local_machine import LocalMachine
from runtime.web.interaction.run import ready
from runtime.web.interaction.subject import Subject, digest_of

_READY_S = 60.0  # a page on a slow core is learnt late
_TOLD_S = 40.0  # after a gesture until its frames are read: longer than a trace may take
_PAUSE_S = 0.5  # between two gestures: the first one is over, and the page rests


@dataclass
class Governing:
    """A page that is governed in a thread.

    Attributes:
        gestures: those that are over.
        thread: that governs.
    """

    gestures: list[GovernedGesture] = field(default_factory=list)
    thread: threading.Thread | None = None
    faults: list[Exception] = field(default_factory=list)

    def check(self) -> None:
        """Raise what ended the thread, if something did."""
        if self.faults:
            raise self.faults[0]


@contextlib.contextmanager
def governed(make: Callable[[Callable[[GovernedGesture], None]], PageGovernor]) -> Iterator[Governing]:
    """Govern a page from a thread of its own within the block.

    Args:
        make: returns the governor; it is given what to call with each gesture.

    Raises:
        WebError, DeviceError: as ``PageGovernor.govern``.
    """
    over, is_ready, found = threading.Event(), threading.Event(), Governing()
    governor = make(found.gestures.append)

    def govern() -> None:
        try:
            governor.govern(over.is_set, is_ready.set)
        except Exception as err:  # noqa: BLE001  raised in the caller's thread
            found.faults.append(err)
        finally:
            is_ready.set()

    found.thread = threading.Thread(target=govern, name="edgekit-page-governor")
    found.thread.start()
    try:
        if not is_ready.wait(_READY_S):
            raise WebError(f"the page was not governed within {_READY_S:g} s; close other programs")
        found.check()
        yield found
    finally:
        over.set()
        found.thread.join()
    found.check()


class Stage:
    """A page that gestures are tried on.

    Args:
        target: the machine.
        page: that is there already.
        name: of the page in records.
        called: how records call the machine.
    """

    def __init__(
        self,
        target: LocalTarget,
        page: Page,
        name: str,
        *,
        called: str,
        duration_s: float = 5.0,
        refresh_hz: float = HEADLESS_HZ,
    ):
        self.target, self.name = target, name
        self._called, self._duration_s, self._refresh_hz = called, duration_s, refresh_hz
        # Hands of their own, which do not wait for whoever else speaks to the page.
        self._hands = Page(page.connection, page.target, None, is_ours=False)
        product = page.connection.call("Browser.getVersion")["product"]
        self._subject = Subject(name, digest_of(page), self._hands, look(page), find_processes(page), product)

    def close(self) -> None:
        """Let go of the page."""
        self._hands.close()

    def at(self, setting: Setting, gesture: Gesture, fps_target: float) -> Trial:
        """Do a gesture at a setting; without a clock the kernel's governor sets it."""
        with LocalMachine(self.target).placed(self._subject, setting) as held:
            governor = HELD if setting.freq_khz is not None else _kernel_governor(held)
            with (
                MachineWatch(self.target, self._subject.drawing.renderer) as watch,
                traced(self._hands.connection) as trace,
            ):
                done = self._do(gesture)
        return self._trial(gesture, governor, fps_target, done, trace.times_s(), watch)

    def under(self, governing: Governing, gesture: Gesture) -> tuple[Trial, list[GovernedGesture]]:
        """Do a gesture on a page that is governed; return it, and what its governor says of it.

        Raises:
            WebError: its frames are not told.
        """
        before = len(governing.gestures)
        with MachineWatch(self.target, self._subject.drawing.renderer) as watch:
            done = self._do(gesture)
        deadline_s = time.monotonic() + _TOLD_S
        while not _is_told(governing.gestures[before:], done):
            governing.check()
            if time.monotonic() > deadline_s:
                raise WebError("the governed gesture was not seen; is the page one that can be scrolled?")
            time.sleep(_PAUSE_S / 10)
        own = governing.gestures[before:]
        if any(each.frames is None for each in own):
            raise WebError("the browser did not tell the frames of the governed gesture; do it again")
        times_s = [at_s for each in own for at_s in _times_s(each, self._refresh_hz)]
        last = own[-1]
        trial = self._trial(gesture, OURS, last.fps_target, done, times_s, watch, last.predicted_fps)
        time.sleep(_PAUSE_S)
        return trial, own

    def _do(self, gesture: Gesture) -> Performed:
        strokes = ready(self._subject, gesture, self._duration_s, self._refresh_hz)
        time.sleep(_PAUSE_S)  # going to the top is no part of it
        performed = perform(self._hands, strokes)
        time.sleep(2 * lag_s(self._refresh_hz))
        return performed

    def _trial(
        self,
        gesture: Gesture,
        governor: str,
        fps_target: float,
        done: Performed,
        times_s: Sequence[float],
        watch: MachineWatch,
        predicted_fps: float | None = None,
    ) -> Trial:
        late_s = lag_s(self._refresh_hz)
        begin_s, end_s = done.spans[0].start_s + late_s, done.spans[-1].end_s + late_s
        edges = [begin_s, *(at_s for at_s in times_s if begin_s < at_s < end_s), end_s]
        return Trial(
            page=self.name,
            sha256=self._subject.sha256,
            gesture=gesture.name,
            kind=gesture.kind,
            speed=gesture.speed,
            source=gesture.source,
            target=self._called,
            provenance=self.target.provenance,
            governor=governor,
            fps_target=fps_target,
            predicted_fps=predicted_fps,
            refresh_hz=self._refresh_hz,
            window_s=end_s - begin_s,
            gaps_ms=tuple(1e3 * (after - before) for before, after in itertools.pairwise(edges)),
            spans_s=tuple(
                (span.start_s + late_s - begin_s, span.end_s + late_s - begin_s) for span in done.spans
            ),
            clocks=watch.clocks(begin_s, end_s),
            powers_mw=watch.powers_mw(begin_s, end_s),
            energy_mj=watch.energy_mj(begin_s, end_s),
            energy_source=watch.energy_source,
            created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )


def _kernel_governor(held: HeldSetting) -> str:
    """Return what the kernel sets the clock by."""
    name = None if held.domain is None else read_text(held.domain.path / "scaling_governor")
    return (name or "the kernel").strip()


def _is_told(gestures: Sequence[GovernedGesture], done: Performed) -> bool:
    """Return whether the gestures reach to the end of what was done."""
    # A wheel's last event comes up to some frames before the movement's end.
    return bool(gestures) and gestures[-1].end_s >= done.spans[-1].end_s - _PAUSE_S


def _times_s(gesture: GovernedGesture, refresh_hz: float) -> Iterator[float]:
    """Yield when its frames were displayed, on the monotonic clock."""
    at_s = gesture.begin_s + lag_s(refresh_hz)
    for gap_ms in gesture.gaps_ms:
        at_s += gap_ms / 1e3
        yield at_s
