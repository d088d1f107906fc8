"""A phone's display: how often it refreshes, whether it is lit, and which frames it showed."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise

from runtime.errors import DeviceTransientError
from runtime.targets.adb.sampling import following
from runtime.targets.adb.shell import AdbShell
from runtime.web.browser.display import HEADLESS_HZ, Watch
from runtime.web.frames.latency_ring import RING_FRAMES, Ring, merge_rings, parse_ring, refresh_of
from runtime.web.phone.layers import layers_of, parse_layers

SOURCE = "SurfaceFlinger"
_LATENCY = "dumpsys SurfaceFlinger --latency"
_PART = re.compile(r"^@@ layer (\d+)\n", re.MULTILINE)
_LOOK_S = 1.0  # a look costs some 20 ms of a core for each layer
_RING_SHARE = 0.6  # of the time in which a ring fills: at 120 Hz it holds 1.06 s
_STATE = (
    "dumpsys power | grep -E 'mWakefulness='; "
    "dumpsys window policy | grep -E 'howing=|Lockscreen=|KeyguardShowing='; true"
)
_AWAKE = re.compile(r"^\s*mWakefulness=(\w+)", re.MULTILINE)
# In the words of Android 6 to 16 and of makers; not showingAndNotOccluded.
_LOCKED = re.compile(
    r"^\s*(showing|mShowingLockscreen|mDreamingLockscreen|(is|m)KeyguardShowing)=true", re.MULTILINE
)
_MODES = re.compile(r"supportedModes \[(.*)\]")
_MODE_FPS = re.compile(r"\bfps=(\d{1,4}(?:\.\d{1,9})?)")


class PhoneDisplay:
    """See ``Display``.

    Attributes:
        refresh_hz: while the last gesture lasted; before, as it is now.
        package: of the app whose frames are counted; ``None``: it is not known.
    """

    def __init__(self, shell: AdbShell):
        self._shell = shell
        self.package: str | None = None
        self.refresh_hz = read_refresh_hz(shell)
        self._most_hz = max(self.refresh_hz, read_peak_hz(shell))  # a phone at rest may refresh less often

    @contextlib.contextmanager
    def watched(self) -> Iterator[Watch]:
        """See ``Display``; frames are those of the browser's layers that show any.

        Raises:
            DeviceTransientError: the phone is gone.
        """
        layers, fault = self._live_layers()
        asked = [f"{_LATENCY} {shlex.quote(layer)}" for layer in layers] or [_LATENCY]
        look = "; ".join(f'echo "@@ layer {number}"; {ask}' for number, ask in enumerate(asked))
        every_s = min(_LOOK_S, _RING_SHARE * RING_FRAMES / self._most_hz)
        watch = Watch(self.refresh_hz, SOURCE, fault=fault)
        with following(self._shell, look, every_s, as_root=False) as followed:
            yield watch
        watch.fault = watch.fault or followed.fault
        by_layer: dict[int, list[Ring]] = {}
        for number, ring in parse_looks(followed.text):
            by_layer.setdefault(number, []).append(ring)
        rates = refresh_of(ring for rings in by_layer.values() for ring in rings)
        if rates:
            # What is dropped is dropped against the rate that the display had at its best.
            watch.refresh_hz = self.refresh_hz = rates[-1]
        if any(after / before > 1.02 for before, after in pairwise(rates)):
            listed = " and ".join(f"{rate:.0f}" for rate in rates)
            watch.remarks = (f"its display refreshed at {listed} Hz by turns",)
        merged = [merge_rings(rings) for rings in by_layer.values()]
        if layers and watch.fault is None and any(has_gap for _, has_gap in merged):
            watch.fault = f"{SOURCE}'s {RING_FRAMES} frames were overwritten between two looks"
        # Layers of one frame are presented at one time.
        watch.times_s = tuple(time_ns / 1e9 for time_ns in sorted({t for times, _ in merged for t in times}))

    def _live_layers(self) -> tuple[tuple[str, ...], str | None]:
        """Return the browser's layers that have shown frames, or why there are none."""
        if self.package is None:
            return (), "the browser's process does not tell which app it is"
        names = parse_layers(self._shell.run("dumpsys SurfaceFlinger --list || true"))
        found = layers_of(names, self.package)
        for some in (found.surfaces, found.windows):
            if live := self._with_frames(some):
                return live, None
        if not (found.surfaces or found.windows):
            return (), f"{SOURCE} lists no layer of {self.package}"
        return (), f"{SOURCE} tells no times of frames on this version of Android"

    def _with_frames(self, layers: Sequence[str]) -> tuple[str, ...]:
        if not layers:
            return ()
        asks = (
            f'echo "@@ layer {number}"; {_LATENCY} {shlex.quote(layer)}'
            for number, layer in enumerate(layers)
        )
        live = {
            number
            for number, ring in parse_looks(self._shell.run("; ".join((*asks, "true"))))
            if ring.presented_ns
        }
        return tuple(layer for number, layer in enumerate(layers) if number in live)


def read_refresh_hz(shell: AdbShell) -> float:
    """Return how often the phone's display refreshes now.

    Raises:
        DeviceTransientError: the phone is gone.
    """
    found_hz = parse_ring(shell.run(f"{_LATENCY} || true")).refresh_hz
    return read_peak_hz(shell) if found_hz is None else found_hz


def read_peak_hz(shell: AdbShell) -> float:
    """Return the highest refresh rate of the phone's own display; 60 where it does not say."""
    return parse_peak_hz(shell.run("dumpsys display || true")) or HEADLESS_HZ


def parse_peak_hz(text: str) -> float | None:
    """Return the highest rate of the first display that ``dumpsys display`` describes.

    Example:
        >>> parse_peak_hz("supportedModes [{id=1, fps=60.0}, {id=2, fps=120.00001}], colorMode 0")
        120.00001
    """
    modes = _MODES.search(text)
    rates = [float(rate) for rate in _MODE_FPS.findall(modes[1])] if modes else []
    return max(rates, default=None)


def check_lit(shell: AdbShell) -> None:
    """Raise unless the phone's screen is on and unlocked: Chrome draws nothing behind either.

    Raises:
        DeviceTransientError: it is not, or the phone is gone.
    """
    if (problem := parse_dark(shell.run(_STATE))) is not None:
        raise DeviceTransientError(
            f"adb:{shell.serial}: {problem}; wake and unlock the phone, and keep it so (Developer options: "
            "Stay awake), then run again: what was measured is kept"
        )


def parse_dark(text: str) -> str | None:
    """Return why nothing is drawn, as far as ``dumpsys power`` and ``dumpsys window policy`` say.

    Example:
        >>> parse_dark("  mWakefulness=Asleep\\n")
        'its screen is off (Asleep)'
        >>> parse_dark("  mWakefulness=Awake\\n  showing=false\\n  showingAndNotOccluded=true\\n")
    """
    awake = _AWAKE.search(text)
    if awake is not None and awake[1] != "Awake":
        return f"its screen is off ({awake[1]})"
    return "its screen is locked" if _LOCKED.search(text) else None


def parse_looks(text: str) -> list[tuple[int, Ring]]:
    """Return the number of the layer and its frames for each look that was printed."""
    parts = _PART.split(text)
    return [(int(number), parse_ring(body)) for number, body in zip(parts[1::2], parts[2::2], strict=True)]
