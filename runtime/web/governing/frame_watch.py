"""Times of displayed frames, read after each gesture.

A trace tells nothing before it is ended, and to begin one waits for the page, which may be saturated: on a
slow core that took the first seconds of a gesture. So it is begun while the page rests, long before; one
event a frame costs nothing that could be measured.
"""

from __future__ import annotations

import contextlib
import math
import time

from runtime.errors import WebError
from runtime.web.browser.connection import Connection
from runtime.web.frames.displayed import Trace, traced


class FrameWatch:
    """Traces a browser's displayed frames over and over; enter it, and the trace is ended after.

    Attributes:
        problem: why frames are not counted now; empty: they are.
    """

    def __init__(self, connection: Connection):
        self._connection, self._stack = connection, contextlib.ExitStack()
        self._trace: Trace | None = None
        self._since_s = math.inf
        self.problem = ""

    def __enter__(self) -> FrameWatch:
        self._begin()
        return self

    def __exit__(self, *error: object) -> None:
        self._trace = None
        with contextlib.suppress(WebError):  # the browser may be gone
            self._stack.close()

    def read(self, begin_s: float) -> list[float] | None:
        """Return when frames were displayed since ``begin_s``, in monotonic s; ``None``: not known."""
        trace, self._trace = self._trace if self._since_s <= begin_s else None, None
        try:
            self._stack.close()
        except WebError as err:
            trace, self.problem = None, f"frames are not counted: {err}"
        self._begin()
        return None if trace is None else trace.times_s()

    def _begin(self) -> None:
        try:
            self._trace = self._stack.enter_context(traced(self._connection))
            self._since_s = time.monotonic()
            self.problem = ""
        except WebError as err:
            self.problem = f"frames are not counted: {err}"
