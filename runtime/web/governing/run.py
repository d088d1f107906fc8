"""A browser, a page and a governor put together: ``edgekit web govern``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.govern.governor.beside import serving_beside
from runtime.govern.governor.plan import GovernPlan, plan_for
from runtime.measure.records import RecordLog
from runtime.targets import open_target
from runtime.visible import one_line
from runtime.web.browser.chromium import Launch
from runtime.web.browser.display import HEADLESS_HZ, check_rate
from runtime.web.browser.live import live_page
from runtime.web.browser.page import Page
from runtime.web.governing.gesture_records import record_of
from runtime.web.governing.gesture_run import GovernedGesture
from runtime.web.governing.goal import FrameGoal
from runtime.web.governing.learnt_model import LearntModel
from runtime.web.governing.page_governor import PageGovernor
from runtime.web.governing.work_model import MARGIN, WorkModel
from runtime.web.pages.corpus.place import OpenedPlace, opened_place


@dataclass(frozen=True)
class WebGovernOptions:
    """What is governed, and how.

    Attributes:
        place: address, saved page or page of the corpus to open; ``None``: what the browser of ``cdp`` shows.
        cdp: address of a browser that runs already on this machine; ``None`` starts one.
        browser: program to start; ``None``: the first that this machine has.
        is_headless: without a window.
        goal: frames a second that gestures are to have; ``None``: as many as the display shows.
        margin: share of them to have in reserve.
        refresh_hz: of the display.
        learnt: folder of predictors of ``edgekit fit --kind web``; ``None``: the page's own gestures teach.
        learnt_on: target that they were learnt on; ``None``: this one.
        log: file of records that gestures are added to.

    Raises:
        ValueError: neither a page nor a browser, or a figure that cannot be.
    """

    place: str | None = None
    cdp: str | None = None
    browser: Path | None = None
    is_headless: bool = True
    goal: FrameGoal | None = None
    margin: float = MARGIN
    refresh_hz: float = HEADLESS_HZ
    learnt: Path | None = None
    learnt_on: str | None = None
    log: Path | None = None

    def __post_init__(self) -> None:
        if self.place is None and self.cdp is None:
            raise ValueError("there is nothing to govern; give a page, or a browser's address with --cdp")
        if not 0 <= self.margin <= 1:
            raise ValueError(f"the margin is {self.margin:g}; it must be from 0 to 1")
        if not 1 <= self.refresh_hz <= 480:
            raise ValueError(f"a display of {self.refresh_hz:g} Hz; give 1 to 480")
        for fps in (self.wanted.fps, *self.wanted.by_kind.values()):
            check_rate(fps, self.refresh_hz, "this machine")

    @property
    def wanted(self) -> FrameGoal:
        """The goal, or the display's rate."""
        return FrameGoal(self.refresh_hz) if self.goal is None else self.goal


def govern_page(
    options: WebGovernOptions,
    *,
    on_message: Callable[[str], None] = lambda message: None,
    on_gesture: Callable[[GovernedGesture], None] = lambda gesture: None,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Govern the gestures of a live page on this machine, until it is closed or ``until`` says so.

    Clocks and the threads' cores are as they were when this returns or raises.

    Raises:
        WebError: there is no browser, or it is gone.
        PageError: the page cannot be loaded, or is gone.
        DeviceError: clocks cannot be set here, or another governor runs.
        NotFittedError: nothing was learnt on this target.
        DataError: the log cannot be written.
    """
    plan = plan_for(open_target("local"), None, options.wanted.fps)
    model = model_for(options, plan, on_message)
    with serving_beside(plan, on_message=on_message) as server, opened_page(options) as (page, opened):
        on_message(f"governing {one_line(page.evaluate('location.href'))}; Ctrl-C ends it")
        PageGovernor(
            page,
            model,
            options.wanted,
            str(server.path),
            name_of=opened.name_of,
            on_message=on_message,
            on_gesture=keeping(options, plan, on_gesture),
        ).govern(until)


def keeping(
    options: WebGovernOptions, plan: GovernPlan, on_gesture: Callable[[GovernedGesture], None]
) -> Callable[[GovernedGesture], None]:
    """Return what takes gestures: it adds the record of each to the log, if there is one, and hands it on.

    Raises:
        DataError: when called, the log cannot be written.
    """
    if options.log is None:
        return on_gesture
    log = RecordLog(options.log)

    def take(done: GovernedGesture) -> None:
        record = record_of(done, plan, options.refresh_hz)
        if record is not None:
            log.append(record)
        on_gesture(done)

    return take


@contextlib.contextmanager
def opened_page(options: WebGovernOptions) -> Iterator[tuple[Page, OpenedPlace]]:
    """Yield the page that is governed, and what pages are called where it came from.

    Raises:
        DataError: there is no such page.
        WebError: there is no browser.
        PageError: the page cannot be loaded.
    """
    with opened_place(options.place or "about:blank") as opened:
        launch = Launch(options.browser, options.is_headless, only_loopback=opened.site is not None)
        with live_page(None if options.place is None else opened.url, options.cdp, launch) as page:
            yield page, opened


def model_for(
    options: WebGovernOptions, plan: GovernPlan, on_message: Callable[[str], None] = lambda message: None
) -> WorkModel:
    """Return what chooses settings: by the page's own gestures, or by what was learnt of others until then.

    Raises:
        NotFittedError: nothing was learnt on this target.
        DataError, VersionConflict: it cannot be read.
    """
    rows = plan.table.rows
    if options.learnt is None:
        return WorkModel(rows, options.refresh_hz, options.margin)
    return LearntModel(
        rows,
        options.learnt,
        options.learnt_on or plan.name,
        plan.target.profile,
        options.refresh_hz,
        options.margin,
        on_message,
    )
