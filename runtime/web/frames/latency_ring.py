"""``dumpsys SurfaceFlinger --latency LAYER``: a layer's last 127 frames, as Android's compositor saw them.

The first line is the display's period in ns. Each other line has three times of one frame in ns on
CLOCK_MONOTONIC: when it was to be presented, when it was, and when its content was ready (FrameTracker.cpp of
frameworks/native). Empty places hold zeros; a frame that is not on the display yet has the largest number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

RING_FRAMES = 127  # NUM_FRAME_RECORDS less the one that is being written
_PENDING_NS = (1 << 63) - 1
_MOST_DIGITS = 19
_LEAST_HZ, _MOST_HZ = 1.0, 1000.0


@dataclass(frozen=True)
class Ring:
    """One look at a layer's frames.

    Attributes:
        refresh_hz: of the display; ``None`` where the first line does not say.
        presented_ns: when frames were presented, in order.
    """

    refresh_hz: float | None
    presented_ns: tuple[int, ...] = ()

    @property
    def is_full(self) -> bool:
        """Whether frames before the first may have been overwritten."""
        return len(self.presented_ns) >= RING_FRAMES


def parse_ring(text: str) -> Ring:
    """Return what one answer says; lines that are none of its are passed over.

    Example:
        >>> parse_ring("8333333\\n1 100 2\\n0 0 0\\n1 9223372036854775807 3\\n1 50 1\\n").presented_ns
        (50, 100)
    """
    refresh_hz, presented = None, set()
    for line in text.splitlines():
        numbers = _numbers(line)
        if len(numbers) == 1 and refresh_hz is None and numbers[0] > 0:
            found_hz = round(1e9 / numbers[0], 3)  # 16666667 ns are 60 Hz
            refresh_hz = found_hz if _LEAST_HZ <= found_hz <= _MOST_HZ else None
        elif len(numbers) == 3 and 0 < numbers[1] < _PENDING_NS:
            presented.add(numbers[1])
    return Ring(refresh_hz, tuple(sorted(presented)))


def merge_rings(rings: Sequence[Ring]) -> tuple[tuple[int, ...], bool]:
    """Return when the frames of one layer were presented, each once, and whether some are missing.

    Args:
        rings: looks at one layer, in order. Frames are missing between two that have none in common where
            the later one is full.
    """
    seen: set[int] = set()
    has_gap, last_ns = False, None
    for ring in rings:
        if not ring.presented_ns:
            continue
        if last_ns is not None and ring.is_full and ring.presented_ns[0] > last_ns:
            has_gap = True
        seen.update(ring.presented_ns)
        last_ns = ring.presented_ns[-1]
    return tuple(sorted(seen)), has_gap


def refresh_of(rings: Iterable[Ring]) -> tuple[float, ...]:
    """Return the display's rates in Hz, each once, in the order of their size."""
    return tuple(sorted({ring.refresh_hz for ring in rings if ring.refresh_hz is not None}))


def _numbers(line: str) -> tuple[int, ...]:
    words = line.split()
    if not all(word.isdecimal() and len(word) <= _MOST_DIGITS for word in words):
        return ()
    return tuple(map(int, words))
