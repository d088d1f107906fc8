"""Do a gesture on a page: send each input event at its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, replace

from runtime.web.browser.connection import result_of
from runtime.web.browser.page import Page
from runtime.web.gestures.strokes import Stroke, all_events

_ANSWERED_S = 5.0  # a renderer on a slow core answers the last of many events late


@dataclass(frozen=True)
class Span:
    """One movement as it took place, on this machine's monotonic clock.

    Attributes:
        begins_late: the browser chose when it began; it cannot be told but by its first frame.
        runs_on: it may end before ``end_s``, with its last frame.
    """

    start_s: float
    end_s: float
    begins_late: bool = False
    runs_on: bool = False


@dataclass(frozen=True)
class Performed:
    """The movements of a gesture, and by how much an event was sent late, at most."""

    spans: tuple[Span, ...]
    late_ms: float

    def shifted(self, by_s: float) -> Performed:
        """Return the same on a clock that is ahead by ``by_s``."""
        return replace(
            self,
            spans=tuple(
                replace(span, start_s=span.start_s + by_s, end_s=span.end_s + by_s) for span in self.spans
            ),
        )


def perform(page: Page, strokes: Sequence[Stroke], sleep: Callable[[float], None] = time.sleep) -> Performed:
    """Do the movements one after another, and return once the browser has taken the last event, or soon.

    Events do not wait for answers: a page that is busy must not slow down the finger.

    Raises:
        WebError: the browser refuses an event or is gone.
        PageError: the page crashed, went elsewhere or asked something meanwhile.
    """
    start_s, slipped_s, late_s = time.monotonic(), 0.0, 0.0
    spans, answers = [], []
    for stroke in strokes:
        begin_s = start_s + stroke.start_s + slipped_s
        for event in all_events([stroke]):
            due_s = start_s + event.at_s + slipped_s
            sleep(max(0.0, due_s - time.monotonic()))
            late_s = max(late_s, time.monotonic() - due_s)
            answer = page.connection.send(event.method, page.session, **event.params)
            if event.waits:
                result_of(answer, event.method)
                page.check()
            else:
                answers.append((answer, event.method))
        end_s = start_s + stroke.end_s + slipped_s
        is_its_own = stroke.events[-1].waits
        if is_its_own:  # it takes as long as it takes; those after it follow
            slipped_s += time.monotonic() - end_s
            end_s = time.monotonic()
        sleep(max(0.0, end_s - time.monotonic()))
        spans.append(Span(begin_s, end_s, begins_late=is_its_own, runs_on=stroke.runs_on))
    # A page that is far too slow answers long after; its frames within the movements are what counts.
    wait([answer for answer, _ in answers], _ANSWERED_S)
    for answer, method in answers:
        if answer.done():
            result_of(answer, method)
    page.check()
    return Performed(tuple(spans), 1000 * late_s)
