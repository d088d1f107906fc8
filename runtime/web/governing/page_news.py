"""What a live page tells: inputs, loads, questions to its user, its end; told in another thread."""

from __future__ import annotations

import contextlib
import functools
import queue
import time
from collections.abc import Callable

from runtime.web.browser.connection import Event
from runtime.web.browser.page import Page
from runtime.web.gestures.inputs import Input, watch_inputs


class PageNews:
    """Keeps what a page tells until it is taken, in order; enter it to listen.

    Args:
        on_input: called with each input and when it came, on the clock of ``now``.
        on_event: called when the page begins to load (``init``), has loaded (``load``), asks its user
            something (``ask``), or has its answer (``answer``).
        now: monotonic seconds.

    Attributes:
        end: why the page is gone; empty: it is there.
    """

    def __init__(
        self,
        page: Page,
        on_input: Callable[[Input, float], None],
        on_event: dict[str, Callable[[], None]],
        now: Callable[[], float] = time.monotonic,
    ):
        self._page, self._on_input, self._on_event, self._now = page, on_input, on_event, now
        self._news: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._ends: list[Callable[[], None]] = []
        self.end = ""

    def __enter__(self) -> PageNews:
        page = self._page
        self._ends = [
            watch_inputs(page, self._hear),
            page.listen("Page.lifecycleEvent", self._hear_of_loads),
            page.listen("Page.javascriptDialogOpening", lambda event: self._put("ask")),
            page.listen("Page.javascriptDialogClosed", lambda event: self._put("answer")),
            page.connection.listen("Target.detachedFromTarget", self._hear_of_the_end),
            page.listen("Inspector.targetCrashed", lambda event: self._finish("it crashed")),
        ]
        return self

    def __exit__(self, *error: object) -> None:
        for end in self._ends if not self.end else ():
            end()

    def take(self, wait_s: float) -> None:
        """Act on all that was told, and wait for something if nothing was."""
        with contextlib.suppress(queue.Empty):
            self._news.get(timeout=max(wait_s, 0.001))()
            while True:
                self._news.get_nowait()()

    def _hear(self, event: Input) -> None:
        self._news.put(functools.partial(self._on_input, event, self._now()))

    def _hear_of_loads(self, event: Event) -> None:
        if event.get("frameId") == self._page.target:  # of a page, its main frame's too
            self._put(str(event.get("name")))

    def _put(self, name: str) -> None:
        act = self._on_event.get(name)
        if act is not None:
            self._news.put(act)

    def _hear_of_the_end(self, event: Event) -> None:
        if event.get("sessionId") == self._page.session:
            self._finish("it was closed")

    def _finish(self, reason: str) -> None:
        self.end = reason
        self._news.put(lambda: None)
