"""Whether frames come clearly slower than was predicted, and fewer than are wanted, while a gesture lasts.

Nothing tells of frames before a trace is ended. What costs next to nothing is how often the thread that puts
frames together waits: at each tick of the display, frame or none, and for each frame. At 60 FPS that is
1.6-2.2 times a frame, at 25 FPS 3.4-3.8 times (Chromium 150, 156). That is an alarm and no count; a browser
that streams its screen tells exactly, for 0.13 of a core.
"""

from __future__ import annotations

from pathlib import Path

from runtime.device.sysfs import parse_int, read_text
from runtime.web.browser.processes import Drawing, threads_by_role

_THREAD = "VizCompositor"
_SETTLE_S = 0.1  # of a gesture, or behind a change of its setting: the first frames wait for other things
LOOK_S = 0.1  # six frames at 60 FPS; shorter looks scatter more
_TICK_WAITS = 0.75  # of the thread at a tick of the display
_WAITS = 1.15  # of the thread in a frame beside, until gestures have shown it
_FEWEST, _MOST = 0.6, 2.2  # that are believed
_LEAST_S = 0.5  # of a gesture that is learnt from
_LEARN = 0.25  # share of a gesture in what is known
# Of the predicted frame rate: below that in two looks in a row is an alarm. Waits a frame scatter by a
# quarter, so that one look at 0.7 happens by chance, two hardly.
_CLEARLY = 0.7
_IN_A_ROW = 2


class Alarm:
    """Watches the waits of one thread.

    Args:
        pid, tid: of the thread that puts frames together.
        refresh_hz: of the display.
        root: folder that stands for ``/``.
    """

    def __init__(self, pid: int, tid: int, refresh_hz: float = 60.0, root: Path = Path("/")):
        self._ticks_hz = _TICK_WAITS * refresh_hz
        self._status = root / f"proc/{pid}/task/{tid}/status"
        self._waits = _WAITS
        self.begin(0.0)

    @classmethod
    def of(cls, drawing: Drawing, refresh_hz: float) -> Alarm:
        """Return the alarm of a page's frames."""
        viz = [
            tid
            for tid, (pid, role) in threads_by_role(drawing).items()
            if (pid, role) == (drawing.gpu, "viz")
        ]
        named = [tid for tid in viz if (_comm(tid) or "").startswith(_THREAD)]
        return cls(drawing.gpu, (named or viz or [drawing.gpu])[0], refresh_hz)

    def begin(self, now_s: float) -> None:
        """Watch a gesture that begins now."""
        self._first = (now_s, self._read())
        self._last = self._first
        self.settle(now_s)

    def settle(self, now_s: float) -> None:
        """Look at no frame of the next moment: the setting is another."""
        self._from_s, self._below = now_s + _SETTLE_S, 0

    def look(self, predicted_fps: float, fps_target: float, now_s: float) -> bool:
        """Return whether frames come clearly slower than predicted, and fewer than are wanted.

        Looks too soon after another say no.
        """
        if now_s < self._from_s:
            return False
        (before_s, before), waits = self._last, self._read()
        if before_s < self._from_s:
            self._last = (now_s, waits)
            return False
        spent_s = now_s - before_s
        if spent_s < LOOK_S or waits is None or before is None:
            return False
        self._last = (now_s, waits)
        fps = ((waits - before) / spent_s - self._ticks_hz) / self._waits
        self._below = self._below + 1 if fps < min(_CLEARLY * predicted_fps, fps_target) else 0
        if self._below < _IN_A_ROW:
            return False
        self._below = 0
        return True

    def learn(self, fps: float) -> None:
        """Learn from a gesture that is over, and had so many frames a second, how often the thread waits."""
        (begin_s, first), (end_s, last) = self._first, self._last
        if first is None or last is None or end_s - begin_s < _LEAST_S or fps < 1.0:
            return
        found = ((last - first) / (end_s - begin_s) - self._ticks_hz) / fps
        self._waits += _LEARN * (min(max(found, _FEWEST), _MOST) - self._waits)

    def _read(self) -> int | None:
        for line in (read_text(self._status) or "").splitlines():
            name, _, value = line.partition(":")
            if name == "voluntary_ctxt_switches":
                return parse_int(value.strip())
        return None


def _comm(tid: int) -> str | None:
    return read_text(Path(f"/proc/{tid}/comm"))
