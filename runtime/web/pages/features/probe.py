"""A short scroll, and what it made the page lay out, style, run and draw."""

from __future__ import annotations

from runtime.errors import WebError
from runtime.web.browser.page import Page
from runtime.web.browser.processes import Drawing, find_processes, spent_ms, work_by_role_ms
from runtime.web.frames.displayed import shown_on, traced
from runtime.web.gestures.gesture import Gesture
from runtime.web.gestures.perform import perform
from runtime.web.gestures.room import Room, to_top
from runtime.web.gestures.strokes import strokes_of
from runtime.web.pages.features.metrics import read_metrics

SCROLL = Gesture("scroll", 1800.0)
SCROLL_S = 0.25
_ANSWER_MS = 5000.0  # a page that scrolls badly answers late, too


def probe(page: Page, room: Room) -> dict[str, float]:
    """Scroll the page a little and back to its top; return what each displayed frame of that took.

    Args:
        page: loaded, at its top.
        room: what there is to scroll on it.

    Returns:
        layouts, style recalculations and ms by kind of work, per frame; ms of CPU time by role of thread,
        where the browser's processes are to be seen here; frames a second.

    Raises:
        WebError: there is nothing to scroll, no frame was displayed, or the page does not answer.
    """
    try:
        strokes = strokes_of(SCROLL, room, SCROLL_S, page.connection.host.display.refresh_hz)
    except ValueError as err:
        raise WebError(str(err)) from err
    drawing = _processes(page)
    with traced(page.connection) as trace:
        before, work_before = read_metrics(page, _ANSWER_MS), _work(drawing)
        performed = perform(page, strokes)
        work_after, after = _work(drawing), read_metrics(page, _ANSWER_MS)
    to_top(page, room.scale)
    frames = shown_on(page, trace, performed)
    if not frames.times_s:
        raise WebError("no frame was displayed during the probe; the page hangs, or does not move")
    n_frames = len(frames.times_s)
    found = {name: (after.used[name] - before.used[name]) / n_frames for name in after.used}
    work = {f"{role}_ms": spent / n_frames for role, spent in spent_ms(work_before, work_after).items()}
    return {**found, **work, "fps": frames.fps}


def _processes(page: Page) -> Drawing | None:
    try:
        return find_processes(page)
    except WebError:
        return None  # the browser runs on another machine: its threads stay unknown


def _work(drawing: Drawing | None) -> dict[str, float]:
    return {} if drawing is None else work_by_role_ms(drawing)
