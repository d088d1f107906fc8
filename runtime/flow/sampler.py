"""Numbers drawn from scores, the same for a seed on every engine and machine.

The random bits are those of NumPy's PCG64 seeded through SeedSequence, whose streams NumPy keeps stable
(https://numpy.org/neps/nep-0019-rng-policy.html); everything after them is plain float64 arithmetic here.
Scores of two engines differ in their last bits. A draw looks up one random number in the running sum of
probabilities in the order of the *numbers*, never of the scores: two scores that change places move no other
number's share, so a draw changes only where the random number lies within that difference of an edge of the
sum. ``closest`` says how near any draw came to that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.errors import DataError
from runtime.extras import require

if TYPE_CHECKING:
    import numpy as np

_UNIT = 2.0**-53  # a float64 holds 53 bits of the 64


class Sampler:
    """Draws one token's numbers.

    Args:
        seed: from 0.
        stream: of the token: tokens of one seed do not depend on each other's count.

    Example:
        >>> import numpy as np
        >>> Sampler(seed=7).draw(np.array([0.0, 9.0, 0.0]), temperature=0.5)
        1
    """

    def __init__(self, seed: int, stream: int = 0):
        np = require("numpy", extra="images")
        if seed < 0:
            raise ValueError(f"seed is {seed}; it must be a whole number from 0")
        self._bits = np.random.PCG64(np.random.SeedSequence((seed, stream)))
        self.closest = 1.0  # least distance of a draw from another: a share of probability, or of scores

    def draw(self, scores: np.ndarray, *, temperature: float = 1.0, top_k: int = 0) -> int:
        """Return a number drawn by softmax of ``scores / temperature``.

        One random number is used up each time, whatever the temperature.

        Args:
            scores: logits of one row, any shape of one row.
            temperature: 0 takes the largest score; of equal ones the lowest number.
            top_k: draw among so many of the largest; of equal ones the lowest numbers; 0: among all.

        Raises:
            DataError: a score is infinite or no number.
        """
        np = require("numpy", extra="images")
        exact = np.asarray(scores, dtype=np.float64).reshape(-1)
        if not np.isfinite(exact).all():
            raise DataError("scores to draw from are infinite or no numbers; export the model again")
        share = (int(self._bits.random_raw()) >> 11) * _UNIT
        kept = 1 if temperature == 0 else min(top_k or exact.size, exact.size)
        order = np.argsort(-exact, kind="stable")
        if kept < exact.size:
            self._near(float(exact[order[kept - 1]] - exact[order[kept]]))
        numbers = np.sort(order[:kept])
        if kept == 1:
            return int(numbers[0])
        weights = np.exp((exact[numbers] - exact[order[0]]) / temperature)
        edges = np.cumsum(weights) / weights.sum()
        self._near(float(np.abs(edges[:-1] - share).min()))
        return int(numbers[min(int(np.searchsorted(edges, share, side="right")), kept - 1)])

    def _near(self, distance: float) -> None:
        self.closest = min(self.closest, distance)
