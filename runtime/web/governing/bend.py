"""How the rate that a core could draw is bent into what a display shows of it.

Frames differ, so those that take longer than the mean one miss the display where the mean one just makes it.
How much they differ depends on the gesture.
"""

from __future__ import annotations

from dataclasses import dataclass

_MOST_SHOWN = 0.97  # of the most that is shown: more costs much and is not seen


@dataclass(frozen=True)
class Bend:
    """``shown = ceiling * (1 + (ceiling / rate) ** sharpness) ** (-1 / sharpness)``, in refresh rates.

    Attributes:
        sharpness: of the bend; of scrolls of 70 pages 4 to 8 (``predictors.frames.curve``).
        ceiling: most frames that a display shows, share of its refresh rate.

    Example:
        >>> bend = Bend(sharpness=4.0)
        >>> round(bend.shown(60.0, refresh_hz=60.0), 1)
        50.5
        >>> round(bend.rate(50.5, refresh_hz=60.0))
        60
    """

    sharpness: float = 6.0
    ceiling: float = 1.0

    def shown(self, rate: float, refresh_hz: float) -> float:
        """Return frames a second that are displayed where a core could draw ``rate``."""
        if rate <= 0:
            return 0.0
        most = self.ceiling * refresh_hz
        return most * (1.0 + (most / rate) ** self.sharpness) ** (-1.0 / self.sharpness)

    def rate(self, fps: float, refresh_hz: float) -> float:
        """Return how many a core must have ready for ``fps`` to be displayed, as far as that is possible."""
        most = self.ceiling * refresh_hz
        share = min(fps / most, _MOST_SHOWN)
        return most * (share**-self.sharpness - 1.0) ** (-1.0 / self.sharpness)
