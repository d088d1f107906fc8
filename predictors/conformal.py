"""Split conformal intervals: a width that held-out data vouch for.

Lei et al., Distribution-free predictive inference for regression, https://arxiv.org/abs/1604.04173.
Ours scores whole groups: the score of a group is its worst row, so that with probability at least
1 - alpha *every* row of a new group lies inside.
"""

from __future__ import annotations

import math

import numpy as np


def groups_needed(alpha: float) -> int:
    """Return the least number of held-out groups for which the interval is finite."""
    return max(1, math.ceil(1.0 / alpha - 1e-9) - 1)


def calibration_groups(most: int, alpha: float) -> int:
    """Return how many groups to set aside: of at most ``most`` those that bound a share nearest ``alpha``.

    An interval from n groups covers ceil((n + 1)(1 - alpha)) / (n + 1) of new ones, 90 % with 9 or 19 of
    them, but 94 % with 16: a width that nobody asked for.
    """
    least = groups_needed(alpha)

    def covered(n: int) -> float:
        return math.ceil((n + 1) * (1.0 - alpha) - 1e-9) / (n + 1)

    return min(range(least, max(least, most) + 1), key=lambda n: (round(covered(n), 9), -n))


def group_scores(residuals: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the largest absolute residual of each group, in order of group, shape (n_groups,)."""
    return np.array([np.max(np.abs(residuals[groups == group])) for group in np.unique(groups)])


def conformal_quantile(scores: np.ndarray, alpha: float) -> float:
    """Return the ceil((n + 1)(1 - alpha)) / n quantile of ``scores``.

    Args:
        scores: nonconformity of held-out groups, shape (n,).
        alpha: allowed share of new groups outside, between 0 and 1.

    Raises:
        ValueError: too few scores for this ``alpha``: the interval would be infinite.
    """
    n = len(scores)
    rank = math.ceil((n + 1) * (1.0 - alpha) - 1e-9)
    if rank > n:
        raise ValueError(
            f"{n} held-out groups cannot bound a share of {alpha:g}; "
            f"at least {groups_needed(alpha)} are needed: measure more settings or raise alpha"
        )
    return float(np.sort(scores)[rank - 1])


def row_quantiles(scores: np.ndarray, groups: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the quantiles of the score of one row of a new group, whichever of its rows that is.

    Each group counts as one, however many rows it has; a level beyond what the groups can vouch for gives
    their highest score.

    Args:
        scores: nonconformity of held-out rows, shape (n_samples,).
        groups: of each row.
        levels: shares of new groups that are to score no more, shape (n_levels,).
    """
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(scores)
    below = np.cumsum(1.0 / counts[place[order]])  # how many groups score no more than each row
    wanted = np.minimum((len(counts) + 1) * np.asarray(levels), len(counts))
    rank = np.minimum(np.searchsorted(below, wanted - 1e-9), len(scores) - 1)
    quantiles: np.ndarray = scores[order][rank]
    return quantiles
