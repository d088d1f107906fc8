"""What a late frame costs, so that as many are late as may be."""

from __future__ import annotations

import math

import numpy as np

# Periods at the fastest point, a factor of two apart, that tables are computed for: below the first nearly
# half of the frames are late, above the last hardly one fewer is.
_LADDER = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
# To begin with: with a buffered display about 1 % of the frames are late then, modelled
# (docs/frame_policy.md).
MISS_PENALTY = 1.0
# Of the penalty's logarithm, after a late frame: a fifth more. At 1 % of late frames one is paid back over 99
# others; a larger step follows a change sooner and swings more.
_STEP = 0.2


class MissPenalty:
    """Penalty of a late frame: so many periods' energy at the fastest point.

    It follows the share of late frames (adaptive conformal inference, as ``decision.slowdown`` does):
    each late one that a faster clock would have saved makes it dearer, each other one cheaper, so that
    ``late_share`` of the frames are late. More saves frames, less saves energy.

    Args:
        lanes: independent streams of frames.
        late_share: of the frames that a clock could have saved.
        fixed: keep this penalty, whatever becomes of the frames.

    Attributes:
        ladder: penalties to choose from.
        level: place of each lane's in ``ladder``.

    Raises:
        ValueError: a figure that cannot be.

    Example:
        >>> penalty = MissPenalty(lanes=1, late_share=0.02)
        >>> for _ in range(10):
        ...     penalty.learn(np.array([True]), np.array([0]))
        >>> penalty.ladder[penalty.level[0]]
        4.0
    """

    def __init__(self, lanes: int, late_share: float = 0.01, *, fixed: float | None = None):
        if not 0 < late_share < 1:
            raise ValueError(f"late_share is {late_share}; it must be above 0, below 1")
        if fixed is not None and not fixed > 0:
            raise ValueError(f"miss_penalty is {fixed}; it must be above 0")
        self.late_share = late_share
        self.ladder = _LADDER if fixed is None else (fixed,)
        self._log = np.full(lanes, math.log(MISS_PENALTY if fixed is None else fixed))
        self.level = np.zeros(lanes, dtype=int)
        self._settle(np.arange(lanes))

    def learn(self, missed: np.ndarray, lanes: np.ndarray) -> None:
        """Take note of frames, one of each lane, and which of them were late without need."""
        moved = self._log[lanes] + _STEP * (missed - self.late_share)
        self._log[lanes] = np.clip(moved, math.log(self.ladder[0]), math.log(self.ladder[-1]))
        self._settle(lanes)

    def _settle(self, lanes: np.ndarray) -> None:
        place = (self._log[lanes] - math.log(self.ladder[0])) / math.log(2.0)
        self.level[lanes] = np.round(place).astype(int)
