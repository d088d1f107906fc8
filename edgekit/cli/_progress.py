"""What a command waits for, with seconds: one line that is rewritten on a terminal, lines in a log."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

import click

from runtime.visible import one_line

QUIET = "edgekit.quiet"  # in a context's ``meta``: --quiet was given
_CURRENT = "edgekit.steps"
_PATIENCE_S = 2.0  # who waits no longer needs no reason
_TICK_S = 0.5  # so that the seconds do not skip
_CLEAR = "\r\x1b[K"  # to the line's start, and everything behind it away


class Steps:
    """Says on stderr which step runs and for how long; give it to a library function as its callback.

    On a terminal the running step stands in one line that is rewritten, once the command has taken
    2 s, and is gone at the end. Elsewhere each step is one line, with the seconds since the start.

    Example:
        >>> with Steps() as steps:                                       # doctest: +SKIP
        ...     export_bundle(origin, "net.edgekit", progress=steps)

    Args:
        stream: default: stderr.
        is_quiet: say nothing; default: whether --quiet was given.
        now: clock in seconds.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        is_quiet: bool | None = None,
        now: Callable[[], float] = time.monotonic,
    ):
        context = click.get_current_context(silent=True)
        meta = {} if context is None else context.meta
        self._stream = sys.stderr if stream is None else stream
        self._is_quiet = bool(meta.get(QUIET)) if is_quiet is None else is_quiet
        self._is_terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self.now = now
        self._meta = meta
        self._began_s = self._step_s = now()
        self._text: str | None = None
        self._is_said = False  # the step has its line in the log
        self._is_drawn = False  # a line stands on the terminal that must be cleared
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="progress", daemon=True)

    def __enter__(self) -> Steps:
        self._meta[_CURRENT] = self
        self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._ticker.join()
        self._text = None
        self.make_room()
        self._meta.pop(_CURRENT, None)

    def __call__(self, text: str) -> None:
        """Begin a step; a log has its line at once."""
        self.wait_for(text)
        with self._lock:
            if not self._is_terminal:
                self._say(text)

    def wait_for(self, text: str) -> None:
        """Begin a step that is worth a line in a log only if it lasts more than 2 s."""
        with self._lock:
            self._text, self._step_s, self._is_said = text, self.now(), False
            self.show()

    def goes_on(self, text: str) -> None:
        """Show how far the running step is, without beginning another."""
        with self._lock:
            self._text = one_line(text)

    def done(self, text: str) -> None:
        """Keep a result in the log; a terminal shows the running step only."""
        with self._lock:
            if not self._is_terminal:
                self._say(text)

    def show(self) -> None:
        """Say the running step if it is time to; called every half second."""
        with self._lock:
            if self._text is None or self._is_quiet:
                return
            now_s = self.now()
            if not self._is_terminal:
                if now_s - self._step_s >= _PATIENCE_S and not self._is_said:
                    self._say(self._text)
            elif now_s - self._began_s >= _PATIENCE_S:
                self._draw(f"[{now_s - self._step_s:.0f} s] {self._text}")

    def make_room(self) -> None:
        """Clear the line, so that something else can be printed."""
        with self._lock:
            if self._is_drawn:
                self._write(_CLEAR)
                self._is_drawn = False

    def _tick(self) -> None:
        while not self._ended.wait(_TICK_S):
            self.show()

    def _draw(self, text: str) -> None:
        # One column stays free: a terminal that wraps after the last would keep the line's start.
        room = shutil.get_terminal_size().columns - 1
        text = one_line(text)
        self._write(_CLEAR + (text if len(text) <= room else f"{text[: room - 3]}..."))
        self._is_drawn = True

    def _say(self, text: str) -> None:
        self._is_said = True
        if not self._is_quiet:
            self._write(f"[{self.now() - self._began_s:.0f} s] {one_line(text)}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def make_room() -> None:
    """Clear the line that the command's running ``Steps`` rewrites, before something else is printed."""
    context = click.get_current_context(silent=True)
    steps = None if context is None else context.meta.get(_CURRENT)
    if steps is not None:
        steps.make_room()
