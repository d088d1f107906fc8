"""Tunes drawn from a seed, for tests: phrases A A B A over a few rhythms, pitches that move by steps."""

from __future__ import annotations

import numpy as np

from edgekit.data.tunes.grid import END, FIRST_PITCH, HOLD, LOWEST, STEPS_PER_BAR

_SCALE = (60, 62, 64, 65, 67, 69, 71, 72, 74, 76)  # C major
_RHYTHMS = ((0, 4, 8, 12), (0, 2, 4, 8, 12), (0, 4, 6, 8, 12, 14), (0, 8), (0, 3, 4, 8, 11, 12), (0, 6, 8))
_BARS_PER_PHRASE = 2


def draw_tunes(n: int, seed: int = 0) -> list[np.ndarray]:
    """Return the events of ``n`` tunes of eight bars, int16; the last phrase ends on C and a rest.

    Example:
        >>> draw_tunes(1)[0].shape
        (128,)
    """
    rng = np.random.default_rng(seed)
    return [_tune(rng) for _ in range(n)]


def _tune(rng: np.random.Generator) -> np.ndarray:
    first, second = _phrase(rng), _phrase(rng)
    events = np.concatenate([first, first, second, first])
    last = STEPS_PER_BAR * (4 * _BARS_PER_PHRASE - 1)
    events[last:] = HOLD
    events[last], events[last + 12] = FIRST_PITCH + _SCALE[0] - LOWEST, END
    return events


def _phrase(rng: np.random.Generator) -> np.ndarray:
    events = np.full(_BARS_PER_PHRASE * STEPS_PER_BAR, HOLD, dtype=np.int16)
    place = int(rng.integers(len(_SCALE)))
    rhythms = rng.integers(len(_RHYTHMS), size=_BARS_PER_PHRASE)
    for bar, rhythm in enumerate(rhythms):
        for onset in _RHYTHMS[rhythm]:
            events[bar * STEPS_PER_BAR + onset] = FIRST_PITCH + _SCALE[place] - LOWEST
            place = int(np.clip(place + rng.choice((-2, -1, 1, 2)), 0, len(_SCALE) - 1))
    return events
