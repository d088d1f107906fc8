"""Ask one user from which frame rate on a gesture on a page is smooth enough for him.

The page is moved at the speed of the gesture, in fewer steps a second or more: that changes what is displayed
on the machine he sits at, whatever its clock, and slows nothing down (``runtime.web.gestures.thinning``).
What was displayed is counted each time, and that counts, not what was asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from runtime.errors import DataError, WebError
from runtime.web.browser.chromium import Launch, has_display
from runtime.web.browser.display import HEADLESS_HZ
from runtime.web.browser.live import live_page
from runtime.web.browser.page import Page
from runtime.web.frames.displayed import LAG_S, shown, traced
from runtime.web.gestures.gesture import Gesture
from runtime.web.gestures.perform import perform
from runtime.web.gestures.room import Room, look, to_top
from runtime.web.gestures.strokes import Stroke, strokes_of
from runtime.web.gestures.thinning import thinned
from runtime.web.governing.accepted import AcceptedRate, read_image_share
from runtime.web.governing.staircase import find_threshold
from runtime.web.pages.corpus.place import opened_place

_REST_S = 0.3
_SETTLE_S = 1.0
_LEAST_FPS = 1.0  # of a page that showed nothing


@dataclass(frozen=True)
class Calibration:
    """What a user is shown, and how.

    Attributes:
        place: address, saved page, or page of the corpus.
        gesture: that moves it.
        duration_s: of each showing.
        refresh_hz: of the display.
        browser: program to start; ``None``: the first that this machine has.
        is_headless: nobody looks: answers are replayed.
        seed: of the order.
    """

    place: str
    gesture: Gesture
    duration_s: float = 3.0
    refresh_hz: float = HEADLESS_HZ
    browser: Path | None = None
    is_headless: bool = False
    seed: int = 0


def calibrate(
    asked: Calibration,
    ask: Callable[[int], bool | None],
    on_shown: Callable[[float, float], None] = lambda fps, shown_fps: None,
) -> AcceptedRate:
    """Return what a user accepts of a gesture on a page.

    Args:
        ask: whether the showing of this number was smooth enough; ``None``: show it again.
        on_shown: called with the frame rate that was asked for, and the one that was displayed.

    Raises:
        WebError: there is no display to look at, or no browser.
        DataError: there is no such page.
        PageError: it cannot be loaded or moved.
        ValueError: the browser makes the gesture's steps itself.
    """
    if not asked.is_headless and not has_display():
        raise WebError(
            "there is no display here to see the page on (neither DISPLAY nor WAYLAND_DISPLAY is set); "
            "calibrate where you can see it, or replay answers with --answers FILE"
        )
    launch = Launch(asked.browser, asked.is_headless, flags=("--disable-smooth-scrolling",))
    with opened_place(asked.place) as opened, live_page(opened.url, None, launch) as page:
        time.sleep(_SETTLE_S)
        room = look(page)
        _strokes(asked, room, asked.refresh_hz)  # says now what cannot be moved
        shown_last = 0.0

        def show(fps: float) -> float:
            nonlocal shown_last
            shown_last = fps
            return _show(page, asked, room, fps, on_shown)

        def is_smooth(number: int) -> bool:
            while (answer := ask(number)) is None:
                show(shown_last)
            return answer

        found = find_threshold(asked.refresh_hz, show, is_smooth, asked.seed)
        return AcceptedRate(
            page=opened.name,
            kind=asked.gesture.kind,
            image_share=round(read_image_share(page) or 0.0, 3),
            fps=round(found.fps, 1),
            low_fps=round(found.low_fps, 1),
            high_fps=round(found.high_fps, 1),
            shown_fps=tuple(round(each.fps, 1) for each in found.showings),
            answers=tuple(each.is_smooth for each in found.showings),
            created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )


def read_answers(path: Path) -> Callable[[int], bool]:
    """Return what answers by the lines of a file, each ``y`` or ``n``, one a showing.

    Raises:
        DataError: it cannot be read, has another line, or, when asked, too few.
    """
    try:
        lines = [line.strip().lower() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeError) as err:
        raise DataError(f"{path} cannot be read ({err}); give a file of answers, y or n, one a line") from err
    words = [line for line in lines if line]
    for number, word in enumerate(words, 1):
        if word not in ("y", "n"):
            raise DataError(f"{path}: answer {number} is {word[:20]!r}; each line must be y or n")

    def answer(number: int) -> bool:
        if number > len(words):
            raise DataError(
                f"{path} has {len(words)} answers, and a further one is asked; add lines of y or n"
            )
        return words[number - 1] == "y"

    return answer


def _show(
    page: Page,
    asked: Calibration,
    room: Room,
    fps: float,
    on_shown: Callable[[float, float], None],
) -> float:
    strokes = _strokes(asked, room, fps)
    to_top(page, room.scale)
    time.sleep(_REST_S)
    with traced(page.connection) as trace:
        performed = perform(page, strokes)
        time.sleep(2 * LAG_S)
    page.check()
    shown_fps = max(shown(trace.times_s(), performed, asked.refresh_hz).fps, _LEAST_FPS)
    on_shown(fps, shown_fps)
    return shown_fps


def _strokes(asked: Calibration, room: Room, fps: float) -> tuple[Stroke, ...]:
    return thinned(strokes_of(asked.gesture, room, asked.duration_s, asked.refresh_hz), fps)
