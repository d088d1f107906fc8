"""What is known of the next frame's work from the frames before it.

Frames come in phases of a few seconds; a phase has a level, its frames scatter around that (``Scatter``). The
probability of each level is followed frame by frame, exactly (the forward algorithm of a hidden Markov
model): with every frame a new phase may have begun, and the level may have drifted a little. A frame
far above the level is either a heavy one or the first of a new phase; the next frame tells.
"""

from __future__ import annotations

import numpy as np

from runtime.choose.frame_policy.scatter import Scatter

STEP = 1.06  # between two levels
LEVELS = 0.03 * STEP ** np.arange(69)  # of what the fastest point does in a period; the highest is 1.58
SPREADS = (0.05, 0.10, 0.16, 0.24, 0.36)
HEAVY_SHARES = (0.01, 0.05, 0.2, 0.5)
_PHASE_MS = 6000.0  # mean length of a phase in the standard workload, whose phases take 2 to 10 s
_DRIFT = 0.01  # chance per frame to move by one level, each way
_NEAR = 4  # levels around the likeliest one that are the same peak
# Shares by which one frame moves what is known of scatter: the spread follows in about two seconds at 30 FPS,
# that of heavy frames, which are rare, in about eight. Larger ones follow faster and forget what is rare.
_LEARN_SPREAD, _LEARN_HEAVY = 1 / 64, 1 / 256
_FIRST_SPREAD, _FIRST_HEAVY = 0.2, 0.05  # until frames were seen; the standard workload's are 0.15 and 0.05
_ORDINARY = 1.45  # a ratio above is a heavy frame's
_SURE = 0.1  # a level less sure than this teaches nothing about scatter
_OFFSETS = np.log(STEP) / 8  # resolution of the table of likelihoods


class WorkBelief:
    """Level and scatter of the work of each lane's frames.

    Work is a share of what the fastest point does in a period.

    Attributes:
        level: expected work of an ordinary frame.
        spread, heavy: classes of the next frame's scatter, numbers of ``SPREADS`` and ``HEAVY_SHARES``.
        known: at least one frame was seen.
        ratio: of a frame's work to a level, at which likelihoods are kept.
    """

    def __init__(self, lanes: int, period_ms: float):
        self._new_phase = min(period_ms / _PHASE_MS, 0.5)
        self._drift = _DRIFT
        self._first = np.full(len(LEVELS), 1 / len(LEVELS))  # chances of a new phase's level
        self._chance = np.tile(self._first, (lanes, 1))
        self._variance = np.full(lanes, _FIRST_SPREAD**2)
        self._share = np.full(lanes, _FIRST_HEAVY)
        self.level = np.ones(lanes)
        self._unsure = np.full(lanes, np.inf)
        self.spread = np.zeros(lanes, dtype=int)
        self.heavy = np.zeros(lanes, dtype=int)
        self.known = np.zeros(lanes, dtype=bool)
        reach = int(np.ceil(np.log(LEVELS[-1] / LEVELS[0]) / _OFFSETS)) + 8
        self.ratio = np.exp(np.arange(-reach, reach + 1) * _OFFSETS)
        self._middle = reach
        self._likelihood = np.array(
            [[Scatter(spread, heavy).density(self.ratio) for heavy in HEAVY_SHARES] for spread in SPREADS]
        )

    def observe(self, work: np.ndarray, lanes: np.ndarray) -> None:
        """Learn the work of the frames that the lanes of numbers ``lanes`` finished."""
        self._learn_scatter(work / self.level[lanes], lanes)
        own = nearest(np.sqrt(self._variance[lanes]), _SPREAD_LIMITS)
        share = nearest(self._share[lanes], _HEAVY_LIMITS)
        place = np.round(np.log(np.clip(work, LEVELS[0], LEVELS[-1]) / LEVELS[0]) / _OFFSETS).astype(int)
        column = self._middle + place[:, None] - 8 * np.arange(len(LEVELS))
        chance = self._chance[lanes]
        chance *= self._likelihood[own[:, None], share[:, None], column] / LEVELS
        chance /= chance.sum(axis=1, keepdims=True)
        self._summarise(chance, lanes)
        moved = (1 - 2 * self._drift) * chance
        moved[:, 1:] += self._drift * chance[:, :-1]
        moved[:, :-1] += self._drift * chance[:, 1:]
        self._chance[lanes] = (1 - self._new_phase) * moved + self._new_phase * self._first
        self.known[lanes] = True

    def _learn_scatter(self, ratio: np.ndarray, lanes: np.ndarray) -> None:
        sure = self._unsure[lanes] < _SURE**2
        ordinary = sure & (ratio < _ORDINARY)
        variance = self._variance[lanes]
        off = np.maximum((ratio - 1) ** 2 - self._unsure[lanes], 0.0)
        self._variance[lanes] = np.where(ordinary, variance + _LEARN_SPREAD * (off - variance), variance)
        share = self._share[lanes]
        self._share[lanes] = np.where(sure, share + _LEARN_HEAVY * ((ratio >= _ORDINARY) - share), share)

    def _summarise(self, chance: np.ndarray, lanes: np.ndarray) -> None:
        peak = np.argmax(chance, axis=1)[:, None]
        number = np.arange(len(LEVELS))
        near = np.where(np.abs(number - peak) <= _NEAR, chance, 0.0)
        inside = near.sum(axis=1)
        level = near @ LEVELS / inside
        unsure = np.maximum(near @ LEVELS**2 / inside / level**2 - 1, 0.0)
        above = np.where(number - peak > _NEAR, chance, 0.0).sum(axis=1)
        self.level[lanes], self._unsure[lanes] = level, unsure
        self.spread[lanes] = nearest(np.sqrt(self._variance[lanes] + unsure), _SPREAD_LIMITS)
        self.heavy[lanes] = nearest(self._share[lanes] + above, _HEAVY_LIMITS)


def nearest(value: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Return the class of each value, given the limits between classes."""
    return np.searchsorted(limits, value)


_SPREAD_LIMITS = np.sqrt(np.array(SPREADS[:-1]) * SPREADS[1:])
_HEAVY_LIMITS = np.sqrt(np.array(HEAVY_SHARES[:-1]) * HEAVY_SHARES[1:])
