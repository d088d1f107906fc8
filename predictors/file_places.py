"""Which estimator may stand where in a predictor that came from a file.

Compiled code of scikit-learn casts what stands in these places without looking: a forest of something
else than trees, or of trees that are wider than it, ends the process.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor
from sklearn.tree._tree import Tree

from predictors.additive import AdditiveLatency
from predictors.boosted_trees import BoostedTrees
from predictors.file_types import MOST_FEATURES, DamagedPredictor
from predictors.frames.bounds import N_LEVELS, FrameBounds
from predictors.frames.candidates import NearestPages, TellingColumns
from predictors.frames.curve import FrameCurve
from predictors.frames.online import OnlineFrames
from predictors.frames.rate import FrameRate
from predictors.frames.rows import BEFORE_WORK
from predictors.frames.seen_range import FrameRange
from predictors.frames.work import FrameWork
from predictors.latency import LatencyPredictor
from predictors.median_ridge import MedianRidge
from predictors.online import OnlineLatency
from predictors.op_latency import OpLatency
from predictors.transfer import TransferLatency

Predictor = (
    AdditiveLatency | LatencyPredictor | OnlineLatency | OpLatency | TransferLatency
    | FrameRate | FrameWork | OnlineFrames
)  # fmt: skip
_REGRESSORS = (
    *(Pipeline, Ridge, MedianRidge, SVR, RandomForestRegressor, GradientBoostingRegressor, MLPRegressor),
    *(TransformedTargetRegressor, AdditiveLatency, BoostedTrees, NearestPages),
)
_TRANSFORMERS = (StandardScaler, PolynomialFeatures, ColumnTransformer, TellingColumns)


def check_places(estimator: Any, allowed: tuple[type, ...]) -> None:
    """Make sure that ``estimator`` is of one of these types, and so is all that it asks in its turn.

    Raises:
        DamagedPredictor: something stands where it does not belong.
        AttributeError, TypeError: it is not fitted, or damaged.
    """
    if type(estimator) not in allowed:
        names = ", ".join(kind.__name__ for kind in allowed)
        raise DamagedPredictor(
            f"predictor file holds a {type(estimator).__name__} where only {names} may be; fit it again"
        )
    check = _CHECKS.get(type(estimator))
    if check is not None:
        check(estimator)


def n_features_of(estimator: Any) -> int:
    """Return how many features ``estimator`` takes.

    Raises:
        DamagedPredictor: it says nothing sensible of them.
    """
    n_features = estimator.n_features_in_
    if type(n_features) is not int or not 0 < n_features <= MOST_FEATURES:
        raise DamagedPredictor(f"predictor file holds an estimator of {n_features!r} features; fit it again")
    return n_features


def _check_latency(predictor: LatencyPredictor) -> None:
    check_places(predictor.estimator_, _REGRESSORS)
    if predictor.difficulty_ is not None:
        check_places(predictor.difficulty_, (RandomForestRegressor,))


def _check_additive(predictor: AdditiveLatency) -> None:
    if predictor.residual_ is not None:
        check_places(predictor.residual_, _REGRESSORS)


def _check_transfer(predictor: TransferLatency) -> None:
    check_places(predictor.source, (LatencyPredictor, AdditiveLatency))
    check_places(predictor._scaler_, (StandardScaler,))
    check_places(predictor.correction_, _REGRESSORS)


def _check_ops(ops: OpLatency) -> None:
    width = n_features_of(ops) - 1
    n_costs, kinds = ops.n_costs, ops.kinds_
    is_whole = (
        type(kinds) is list
        and all(type(kind) is int for kind in kinds)
        and type(n_costs) is int
        and 0 <= n_costs < width
        and set(ops.residuals_) <= set(kinds)
        and all(set(part) == set(kinds) for part in (ops.coefs_, ops.lows_, ops.highs_))
        and all(np.shape(coef) == (1 + n_costs,) for coef in ops.coefs_.values())
        and all(np.shape(end) == (width,) for part in (ops.lows_, ops.highs_) for end in part.values())
    )
    if not is_whole:
        raise DamagedPredictor("predictor file holds damaged kinds of ops; fit it again")
    for residuals in ops.residuals_.values():
        if type(residuals) is not list or not residuals:
            raise DamagedPredictor("predictor file holds damaged corrections of ops; fit it again")
        for residual in residuals:
            check_places(residual, _REGRESSORS)


def _check_frames(rate: FrameRate) -> None:
    n_page = n_features_of(rate) - BEFORE_WORK + (1 if rate.n_work else 0)
    curve, seen = rate.curve_, rate.range_
    check_places(curve, (FrameCurve,))
    check_places(rate.bounds_, (FrameBounds,))
    check_places(seen, (FrameRange,))
    if rate.learner_ is not None:
        check_places(rate.learner_, (Pipeline,))
        if n_features_of(rate.learner_[0]) != n_page:
            raise DamagedPredictor("predictor file holds a learner of other pages; fit it again")
    roles = rate.n_work if curve.uses_work else 0
    shapes = {
        "theta_": (curve.theta_, (5 + roles + curve.n_cores,)),
        "noise_": (rate.bounds_.noise_, (2,)),
        "doubt_": (rate.bounds_.doubt_, (2,)),
        "quantiles_": (rate.bounds_.quantiles_, (N_LEVELS,)),
        "quantiles_after_": (rate.bounds_.quantiles_after_, (N_LEVELS,)),
        "page_low_": (seen.page_low_, (n_page,)),
        "page_high_": (seen.page_high_, (n_page,)),
        "low_": (seen.low_, (2 + len(seen.columns_),)),
        "high_": (seen.high_, (2 + len(seen.columns_),)),
    }
    for name, (array, shape) in shapes.items():
        if np.shape(array) != shape or not np.isfinite(array).all():
            raise DamagedPredictor(f"predictor file holds a damaged {name}; fit it again")
    names = rate.names
    is_told = names is None or (type(names) is list and all(type(name) is str for name in names))
    if not is_told or not all(0 <= column < n_page for column in seen.columns_):
        raise DamagedPredictor("predictor file holds damaged names or columns; fit it again")


def _check_online_frames(online: OnlineFrames) -> None:
    check_places(online.predictor, (FrameRate,))
    if not all(type(each) is float and math.isfinite(each) for each in (online.offset_, online.scale_)):
        raise DamagedPredictor("predictor file holds a damaged correction; fit it again")


def _check_work(work: FrameWork) -> None:
    for fitted in work.fitted_:
        if not isinstance(fitted, float):
            check_places(fitted, (Pipeline,))


def _check_pipeline(pipeline: Pipeline) -> None:
    *before, (_, last) = pipeline.steps
    for _, step in before:
        check_places(step, _TRANSFORMERS)
    check_places(last, _REGRESSORS)


def _check_columns(columns: ColumnTransformer) -> None:
    for _, transformer, _ in columns.transformers_:
        if transformer not in ("drop", "passthrough"):
            check_places(transformer, (StandardScaler,))
    if columns.n_jobs is not None:
        raise DamagedPredictor(f"predictor file wants {columns.n_jobs!r} processes; fit it again")


def _check_target(target: TransformedTargetRegressor) -> None:
    check_places(target.transformer_, (FunctionTransformer,))
    check_places(target.regressor_, _REGRESSORS)


def _check_boosted_trees(trees: BoostedTrees) -> None:
    n_features_of(trees)
    if not trees.is_whole():
        raise DamagedPredictor("predictor file holds damaged trees; fit it again")


def _check_forest(forest: RandomForestRegressor) -> None:
    if type(forest.estimators_) is not list or not forest.estimators_ or forest.n_jobs is not None:
        raise DamagedPredictor("predictor file holds a damaged forest; fit it again")
    for member in forest.estimators_:
        _check_member(member, n_features_of(forest))


def _check_boosting(boosting: GradientBoostingRegressor) -> None:
    stages = boosting.estimators_
    if (
        not isinstance(stages, np.ndarray)
        or stages.ndim != 2
        or stages.shape[1] != 1
        or stages.dtype != object
    ):
        raise DamagedPredictor("predictor file holds damaged stages of boosting; fit it again")
    check_places(boosting.init_, (DummyRegressor,))
    for member in stages[:, 0]:
        _check_member(member, n_features_of(boosting))


def _check_member(member: Any, n_features: int) -> None:
    check_places(member, (DecisionTreeRegressor,))
    check_places(member.tree_, (Tree,))
    if not n_features == member.tree_.n_features == n_features_of(member):
        raise DamagedPredictor("predictor file holds a tree over features that are not there; fit it again")


def _check_svr(svr: SVR) -> None:
    n = len(svr.support_vectors_)
    shapes = {
        "support_": (n,),
        "support_vectors_": (n, n_features_of(svr)),
        "_n_support": (2,),
        "_dual_coef_": (1, n),
        "_intercept_": (1,),
        "_probA": (0,),
        "_probB": (0,),
    }
    is_whole = all(getattr(svr, name).shape == shape for name, shape in shapes.items())
    if not is_whole or svr.kernel != "rbf" or svr._sparse or not np.all(svr.support_ >= 0):
        raise DamagedPredictor("predictor file holds a damaged SVR; fit it again")


_CHECKS: dict[type, Callable[[Any], None]] = {
    LatencyPredictor: _check_latency,
    AdditiveLatency: _check_additive,
    TransferLatency: _check_transfer,
    OpLatency: _check_ops,
    OnlineLatency: lambda online: check_places(online.predictor, (LatencyPredictor, TransferLatency)),
    FrameRate: _check_frames,
    FrameWork: _check_work,
    OnlineFrames: _check_online_frames,
    Pipeline: _check_pipeline,
    ColumnTransformer: _check_columns,
    TransformedTargetRegressor: _check_target,
    RandomForestRegressor: _check_forest,
    GradientBoostingRegressor: _check_boosting,
    SVR: _check_svr,
    BoostedTrees: _check_boosted_trees,
}
