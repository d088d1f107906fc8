"""All that compete in a ``LatencyPredictor``: plain candidates and, over columns of costs, sums of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from predictors.additive import AdditiveLatency
from predictors.candidates import candidate_names, make_candidates

ADDITIVE = {"additive": (), "additive_corrected": ("gradient_boosting",)}


def make_competitors(
    names: Sequence[str] | None, costs: Sequence[int], n_features: int, random_state: int | None
) -> dict[str, RegressorMixin]:
    """Return unfitted regressors of log latency by name.

    Args:
        names: of those that compete; ``None`` for all, sums of costs only where there are ``costs``.
        costs: columns that add up to a latency; the plain candidates look at the other columns.
        n_features: columns in all.

    Raises:
        ValueError: no name, an unknown one, a sum without costs, or costs that are no columns.
    """
    if names is None:
        names = (*candidate_names(), *(ADDITIVE if len(costs) else ()))
    if any(not 0 <= column < n_features for column in costs) or len(costs) >= n_features:
        raise ValueError(f"costs are {list(costs)} of {n_features} columns; leave a column beside them")
    sums = [name for name in names if name in ADDITIVE]
    if sums and not len(costs):
        raise ValueError(f"{sums[0]} needs columns of costs; name them, or leave it out")
    plain = [name for name in names if name not in ADDITIVE]
    made = make_candidates(plain, random_state) if plain or not sums else {}
    if len(costs):
        others = [column for column in range(n_features) if column not in set(costs)]
        for pipeline in made.values():
            pipeline.steps[0] = ("scaler", ColumnTransformer([("features", StandardScaler(), others)]))
    found = {}
    for name in names:
        found[name] = _additive(costs, ADDITIVE[name], random_state) if name in ADDITIVE else made[name]
    return found


def _additive(costs: Sequence[int], residuals: Sequence[str], random_state: int | None) -> RegressorMixin:
    additive = AdditiveLatency(costs=tuple(costs), residuals=residuals, random_state=random_state)
    # The others regress the logarithm of the latency; a sum is one of latencies themselves.
    return make_pipeline(
        TransformedTargetRegressor(additive, func=np.exp, inverse_func=np.log, check_inverse=False)
    )
