"""The regressors that compete to predict log latency, each behind its own scaler.

Camel (https://arxiv.org/abs/2005.00749) compares linear, SVR, random forest and a network on one
task and keeps the network; which one wins depends on how many clocks were measured, so here they
compete anew for every device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sklearn.base import RegressorMixin
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVR

# Data sets here have tens of rows and no noise worth smoothing: weak penalties, small trees, and
# L-BFGS for the network, which on so few rows needs no step size to be tuned.
_FACTORIES: dict[str, Callable[[int | None], RegressorMixin]] = {
    "linear": lambda seed: Ridge(alpha=1e-2),
    # On log features a product lets each kind of core fall off with the clock at its own rate.
    "quadratic": lambda seed: make_pipeline(PolynomialFeatures(2, include_bias=False), Ridge(alpha=1e-2)),
    "svr": lambda seed: SVR(C=100.0, epsilon=0.005, gamma="scale"),
    "random_forest": lambda seed: RandomForestRegressor(n_estimators=50, random_state=seed),
    "gradient_boosting": lambda seed: GradientBoostingRegressor(
        n_estimators=50, learning_rate=0.2, max_depth=3, random_state=seed
    ),
    "mlp": lambda seed: MLPRegressor(
        hidden_layer_sizes=(32, 32),
        activation="tanh",
        solver="lbfgs",
        alpha=1e-2,
        max_iter=1000,
        random_state=seed,
    ),
}


def candidate_names() -> tuple[str, ...]:
    """Return the names of all candidates, the simplest first."""
    return tuple(_FACTORIES)


def make_candidates(names: Sequence[str], random_state: int | None) -> dict[str, RegressorMixin]:
    """Return unfitted pipelines of scaler and regressor by name.

    Raises:
        ValueError: ``names`` is empty or holds an unknown name.
    """
    unknown = [name for name in names if name not in _FACTORIES]
    if unknown or not names:
        raise ValueError(f"candidates is {list(names)}; choose at least one of {', '.join(_FACTORIES)}")
    return {name: make_pipeline(StandardScaler(), _FACTORIES[name](random_state)) for name in names}
