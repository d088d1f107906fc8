"""Report each frame to a governor: needs nothing but Python 3.8, so copy this file into any program.

    from edgekit_client import Session          # this file, under a name of your own

    with Session(deadline_ms=1000 / 30) as session:
        while camera.is_open():
            with session.frame():
                work()

Without a governor (``EDGEKIT_GOVERNOR`` is not set, or it is gone) everything runs as it would, and
``session.is_governed`` is false. The protocol is a line of JSON each way: see docs/governing.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from typing import Any, Iterator, Sequence, TypeVar  # noqa: UP035  (3.8 has these types only there)

VARIABLE = "EDGEKIT_GOVERNOR"
_PATIENCE_S = 1.0  # for an answer to ``open``: a governor that hangs must not stop the program
# Reports in flight before the governor is taken for dead: four seconds at 60 FPS, within a socket's buffer.
_MOST_UNANSWERED = 256
_Some = TypeVar("_Some", bound="_Connection")


class _Connection:
    """A session over a governor's socket; without a governor, every request does nothing."""

    def __init__(self, path: str | None, patience_s: float):
        self._answer: dict[str, Any] = {}
        self._problem = ""
        self._unanswered = 0
        self._socket: socket.socket | None = None
        self._incoming = b""
        self._patience_s = patience_s
        path = path or os.environ.get(VARIABLE)
        if not path:
            self._problem = f"{VARIABLE} is not set: no governor runs this program"
            return
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(patience_s)
        try:
            self._socket.connect(path)
        except OSError as err:
            self._leave(f"no governor at {path} ({err})")

    def _open(self, opening: dict[str, Any]) -> None:
        self._ask(opening)
        if self.is_governed and self.problem:
            self._leave(self.problem)
            raise ValueError(self.problem)

    @property
    def answer(self) -> dict[str, Any]:
        """The governor's last, such as ``{"ok": true, "cluster": "big", "freq_khz": 1328000}``."""
        self._await()
        return self._answer

    @property
    def problem(self) -> str:
        """Why there is no governor, or what it refused; empty while all is well."""
        self._await()
        return self._problem

    @property
    def is_governed(self) -> bool:
        """Whether there is a governor, as far as is known without waiting for it."""
        return self._socket is not None

    def close(self) -> None:
        """End the session; what was reported has arrived by then."""
        self._await()
        if self._socket is not None:
            self._leave("closed")

    def __enter__(self: _Some) -> _Some:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> None:
        """Send a request and wait for its answer; a governor that does not answer is left for good."""
        self._send(request)
        self._await()

    def _send(self, request: dict[str, Any]) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            self._unanswered += 1
        except OSError as err:
            self._leave(f"the governor does not answer ({err})")

    def _await(self) -> None:
        while self._unanswered and self._socket is not None:
            self._receive()

    def _receive(self) -> None:
        """Take the answers that have come, or wait for some as long as the socket does."""
        assert self._socket is not None
        try:
            data = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError as err:
            self._leave(f"the governor does not answer ({err})")
            return
        if not data:
            self._leave("the governor has ended")
            return
        *lines, self._incoming = (self._incoming + data).split(b"\n")
        for line in lines:
            self._unanswered -= 1
            self._answer = json.loads(line.decode())
            self._problem = "" if self._answer.get("ok") else str(self._answer.get("error"))

    def _leave(self, problem: str) -> None:
        self._problem, self._unanswered = problem, 0
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Session(_Connection):
    """A stream of frames that should each be done ``deadline_ms`` after they arrive.

    Args:
        deadline_ms: of a frame.
        tids: threads that work on frames; default: all that this process has now.
        name: for the governor's messages.
        path: of the governor's socket; default: from the environment.
        period_ms: between two frames, where that is not ``deadline_ms``: below it, finished frames may wait.
        patience_s: longest wait for an answer.

    No frame waits for the governor: reports are sent, and answers are read when they are looked at.

    Raises:
        ValueError: the governor refuses such a session.
    """

    def __init__(
        self,
        deadline_ms: float,
        tids: Sequence[int] | None = None,
        name: str = "",
        path: str | None = None,
        period_ms: float | None = None,
        patience_s: float = _PATIENCE_S,
    ):
        super().__init__(path, patience_s)
        self._reports_begins = False
        if not self.is_governed:
            return
        if tids is None:
            tids = [int(tid) for tid in os.listdir("/proc/self/task")]
        opening = {"do": "open", "tids": list(tids), "deadline_ms": deadline_ms, "name": name}
        self._open(opening if period_ms is None else dict(opening, period_ms=period_ms))
        self._reports_begins = bool(self.answer.get("begins"))

    @contextlib.contextmanager
    def frame(self) -> Iterator[None]:
        """Time the block and report it, unless it fails."""
        begin_s = time.monotonic()
        self.begin()
        yield
        self.report((time.monotonic() - begin_s) * 1e3)

    def begin(self, remaining_ms: float | None = None) -> None:
        """Report that a frame begins, to a governor that changes clocks within frames; else do nothing.

        Args:
            remaining_ms: until the frame's deadline; default: all of it.
        """
        if self._reports_begins:
            self._report({"do": "begin", "remaining_ms": remaining_ms})

    def report(self, actual_ms: float, late: bool | None = None) -> None:
        """Report a frame; ``late`` says whether it missed its deadline where the duration does not tell."""
        self._report({"do": "report", "actual_ms": actual_ms, "late": late})

    def update_deadline(self, deadline_ms: float) -> None:
        """Ask for another deadline."""
        self._ask({"do": "update_deadline", "deadline_ms": deadline_ms})

    def headroom(self) -> float | None:
        """Return the share of the deadline that the fastest setting would leave; ``None``: no governor."""
        self._ask({"do": "headroom"})
        return self.answer.get("headroom") if self.is_governed else None

    def _report(self, request: dict[str, Any]) -> None:
        """Send a request whose answer no frame waits for."""
        if self._unanswered >= _MOST_UNANSWERED:
            self._leave("the governor does not answer")
        self._send(request)
        if self._socket is not None:
            self._socket.settimeout(0.0)
            self._receive()
        if self._socket is not None:
            self._socket.settimeout(self._patience_s)


class Gestures(_Connection):
    """Threads that run at a setting which this program names: one for a gesture, one between two.

    For a program that knows what a setting does to its frames, as one that governs a browser. Requests wait
    for their answer, so that a gesture's clock is set when ``hold`` returns.

    Args:
        tids: threads of this user, of any processes; they move as one, and what they start goes along.
        cluster, freq_khz: the setting to begin with.
        name, path, patience_s: as ``Session`` takes them.

    Raises:
        ValueError: the governor refuses such a session.
    """

    def __init__(
        self,
        tids: Sequence[int],
        cluster: str,
        freq_khz: int,
        name: str = "",
        path: str | None = None,
        patience_s: float = _PATIENCE_S,
    ):
        super().__init__(path, patience_s)
        place = {"cluster": cluster, "freq_khz": freq_khz}
        self._open(dict(place, do="open_gestures", tids=list(tids), name=name))

    def hold(self, cluster: str, freq_khz: int) -> dict[str, Any]:
        """Run at this setting from now on, and say so once a minute; return what it has become."""
        self._ask({"do": "hold", "cluster": cluster, "freq_khz": freq_khz})
        return self.answer

    def report(self, frames: int, late: int = 0) -> None:
        """Report that a gesture is over: ``frames`` were due in it, ``late`` of them were not in time."""
        self._ask({"do": "report_gesture", "frames": frames, "late": late})

    def use_threads(self, tids: Sequence[int]) -> None:
        """Hold these threads instead of those before, as when a page has got a new process."""
        self._ask({"do": "use_threads", "tids": list(tids)})
