"""Leave by an exception when a signal asks for it, but never in the middle of restoring."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

ASKS_TO_LEAVE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_Handler = Callable[[int, FrameType | None], object]


class Signals:
    """Tells a block's signal handlers when to wait.

    Attributes:
        hold_back: ``True`` while signals must wait; what came meanwhile is delivered by ``deliver``.
            Set it by assignment: Python runs no handler inside one, so no signal can slip in before it.
    """

    def __init__(self) -> None:
        self.hold_back = False
        self._waiting: tuple[int, _Handler] | None = None

    def handler(self, before: _Handler) -> _Handler:
        """Return a handler that calls ``before``, at once or when signals are let through again."""

        def handle(signum: int, frame: FrameType | None) -> None:
            if self.hold_back:
                self._waiting = self._waiting or (signum, before)
            else:
                before(signum, frame)

        return handle

    def deliver(self) -> None:
        """Let signals through again, first the one that waited."""
        self.hold_back = False
        if self._waiting is not None:
            (signum, before), self._waiting = self._waiting, None
            before(signum, None)


@contextlib.contextmanager
def orderly_signals() -> Iterator[Signals]:
    """Turn SIGINT, SIGTERM and SIGHUP into exceptions inside the block, so that ``finally`` blocks run.

    A handler of the program's own is called instead; a signal it ignores stays ignored. Only the
    main thread can: elsewhere nothing happens, which is what ``guardian`` is for.
    """
    signals = Signals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    before = {signum: signal.getsignal(signum) for signum in ASKS_TO_LEAVE}
    try:
        for signum, old in before.items():
            if old is signal.SIG_DFL:
                signal.signal(signum, signals.handler(_exit))
            elif callable(old):
                signal.signal(signum, signals.handler(old))
        yield signals
    finally:
        signals.hold_back = True  # until the old handlers stand again
        for signum, old in before.items():
            if old is not None:  # None: set by another language's code, and left alone
                signal.signal(signum, old)
        signals.deliver()


def _exit(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)
