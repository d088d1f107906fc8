"""The display that pages are shown on: how often it shows a new frame, and how many it says it showed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

# Of a browser without a window: viz::BeginFrameArgs::DefaultInterval, and nothing changes it. --screen-info
# knows sizes alone, BeginFrameControl is gone with the old headless mode, and with --disable-frame-rate-limit
# frames follow no clock at all (Chromium 156).
HEADLESS_HZ = 60.0
_LAG_REFRESHES = (
    2.0  # from an input event to the frame that shows it, where nothing is slow: 22-31 ms at 60 Hz
)
_SLACK = 0.01  # displays of 60 Hz say 59.94 to 60.000004


@dataclass
class Watch:
    """What a display says of a gesture; complete once the block that watches it is left.

    Attributes:
        refresh_hz: while the gesture lasted.
        source: who counts frames besides the browser; ``None``: nobody does.
        times_s: when that one says frames reached the display, on the clock of the browser's machine.
        fault: why these are not all of them.
        remarks: what else is to be known of it.
    """

    refresh_hz: float
    source: str | None = None
    times_s: tuple[float, ...] = ()
    fault: str | None = None
    remarks: tuple[str, ...] = ()


class Display(Protocol):
    """Where a browser shows its pages.

    Attributes:
        refresh_hz: as far as it is known before a gesture.
    """

    refresh_hz: float

    def watched(self) -> AbstractContextManager[Watch]:
        """Watch it within the block."""


class Headless:
    """No display: a browser without a window draws as if for one."""

    refresh_hz = HEADLESS_HZ

    @contextlib.contextmanager
    def watched(self) -> Iterator[Watch]:
        yield Watch(self.refresh_hz)


def lag_s(refresh_hz: float) -> float:
    """Return how long after an input event the frame that shows it can be on the display."""
    return _LAG_REFRESHES / refresh_hz


def can_show(fps: float, refresh_hz: float) -> bool:
    """Return whether a display shows ``fps`` frames a second at its best."""
    return fps <= refresh_hz * (1 + _SLACK)


def check_rate(fps: float, refresh_hz: float, where: str) -> None:
    """Raise ``ValueError`` where a display cannot show ``fps`` frames a second.

    Example:
        >>> check_rate(60.0, 59.94, "local")
        >>> check_rate(90.0, 60.0, "local")
        Traceback (most recent call last):
        ValueError: 90 frames a second on local; its display shows 60 at most: ask for no more
    """
    if not can_show(fps, refresh_hz):
        raise ValueError(
            f"{fps:g} frames a second on {where}; its display shows {refresh_hz:.4g} at most: ask for no more"
        )
