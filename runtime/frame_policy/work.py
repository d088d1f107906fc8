"""What is known of the next frame's work from the frames before it.

Frames come in scenes. Within a scene work scatters around a level, with some frames far above it; the
level is followed, and the ratios of work to the level predicted for it are counted. They are counted apart
by how many frames of the scene the level rests on, so that a fresh level's uncertainty, the scatter, the
heavy frames and the changes of scene are all learned from what happened, not assumed.
"""

from __future__ import annotations

import numpy as np

# Bins of work / level, their upper ends; finer where most frames end.
EDGES = np.concatenate(
    [[0.2, 0.4, 0.6], np.arange(0.7, 1.5, 0.05), np.arange(1.5, 2.2, 0.1), [2.2, 2.4, 2.6, 3.0, 4.0, 6.0]]
)
AGES = (2, 4, 10)  # a level of fewer frames than these is counted apart
_WINDOW = 32  # frames that a level averages over
_ORDINARY = np.log(1.45)  # a ratio further from 1 is a heavy frame or another scene
_SAME = np.log(1.6)  # two extraordinary frames this close to each other are another scene
_DRIFT_WEIGHT, _DRIFT_LIMIT = 0.25, 0.14
_FORGET = 0.998
_PRIOR_FRAMES = 20.0
_PRIOR_SPREAD = (0.30, 0.22, 0.17, 0.15)  # of log ratio, by age; only until frames were seen
_PRIOR_TAIL = 0.06


class WorkEstimate:
    """Level and scatter of the work of each lane's frames.

    Attributes:
        level: expected work of an ordinary frame, in the unit of ``observe``; NaN before the first.
        frames: that the level rests on.
    """

    def __init__(self, lanes: int = 1):
        self.level = np.full(lanes, np.nan)
        self.frames = np.zeros(lanes, dtype=int)
        self._odd = np.full(lanes, np.nan)  # log work of the last frame, if it was extraordinary
        self._drift = np.zeros(lanes)
        self._counts = np.broadcast_to(_prior(), (lanes, len(AGES) + 1, len(EDGES))).copy()

    @property
    def age(self) -> np.ndarray:
        """Class of each level by the number of frames it rests on."""
        return np.searchsorted(AGES, self.frames, side="right")

    def survival(self) -> np.ndarray:
        """Return the share of frames longer than each edge, shape (n_lanes, n_ages, n_edges)."""
        share = np.cumsum(self._counts, axis=2) / self._counts.sum(axis=2, keepdims=True)
        return np.asarray(np.maximum(1 - share, 0.0))

    def observe(self, work: np.ndarray, lanes: np.ndarray) -> None:
        """Learn the work of the frames that the lanes of numbers ``lanes`` finished."""
        level, frames = self.level[lanes], self.frames[lanes]
        first = ~np.isfinite(level)
        level = np.where(first, work, level)
        ratio = np.log(work / level)
        self._count(np.exp(ratio), lanes, ~first)

        ordinary = np.abs(ratio) <= _ORDINARY
        odd = self._odd[lanes]
        again = ~ordinary & np.isfinite(odd) & (np.abs(np.log(work) - odd) <= _SAME)
        again |= ~ordinary & (ratio < 0) & (frames <= 2)  # what the level rests on was a heavy frame
        drift = np.where(ordinary, (1 - _DRIFT_WEIGHT) * self._drift[lanes] + _DRIFT_WEIGHT * ratio, 0.0)
        drifted = ordinary & (np.abs(drift) > _DRIFT_LIMIT)

        count = np.minimum(frames + 1, _WINDOW)
        averaged = level + (work - level) / count
        fresh = np.where(np.isfinite(odd), np.sqrt(work * np.exp(np.where(np.isfinite(odd), odd, 0.0))), work)
        self.level[lanes] = np.where(
            again, fresh, np.where(drifted, level * np.exp(drift), np.where(ordinary, averaged, level))
        )
        self.frames[lanes] = np.where(
            again,
            np.where(np.isfinite(odd), 2, 1),
            np.where(drifted, 4, np.where(ordinary, frames + 1, frames)),
        )
        self._drift[lanes] = np.where(drifted, 0.0, drift)
        self._odd[lanes] = np.where(ordinary | again, np.nan, np.log(work))

    def _count(self, ratio: np.ndarray, lanes: np.ndarray, known: np.ndarray) -> None:
        age = np.searchsorted(AGES, self.frames[lanes], side="right")
        column = np.minimum(np.searchsorted(EDGES, ratio), len(EDGES) - 1)
        self._counts[lanes, age] *= _FORGET
        self._counts[lanes[known], age[known], column[known]] += 1.0


def _prior() -> np.ndarray:
    """Return counts to begin with: a bell around 1, and a thin tail up to three times the level."""
    low = np.concatenate([[0.05], EDGES[:-1]])
    middle = np.log((low + EDGES) / 2)
    width = np.log(EDGES / low)
    rows = []
    for spread in _PRIOR_SPREAD:
        bell = np.exp(-0.5 * (middle / spread) ** 2) * width
        tail = np.where((middle > 0) & (EDGES <= 3.0), width, 0.0)
        rows.append((1 - _PRIOR_TAIL) * bell / bell.sum() + _PRIOR_TAIL * tail / tail.sum())
    return _PRIOR_FRAMES * np.array(rows)
