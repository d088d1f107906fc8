"""Where a bundle keeps its predictors, and what is checked before one is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from runtime.bundle import Bundle, decode_file
from runtime.bundle.names import slug
from runtime.choose.fitting.features import COST_NAMES, FEATURE_NAMES
from runtime.choose.fitting.result import FIT_SCHEMA, FitResult
from runtime.errors import BundleError, NotFittedError, VersionConflict
from runtime.extras import require

if TYPE_CHECKING:
    from predictors import LatencyPredictor, OnlineLatency, TransferLatency

    Predictor = LatencyPredictor | OnlineLatency | TransferLatency

_KNOWN_FEATURES = (FEATURE_NAMES, FEATURE_NAMES + COST_NAMES)


def save_fit(bundle: Bundle, result: FitResult, predictor: Predictor) -> Bundle:
    """Return ``bundle`` with the predictor and its summary in it."""
    from predictors import save_predictor

    bundle = bundle.add(_estimator_path(result.target), save_predictor(predictor), "predictor")
    summary = msgspec.json.format(msgspec.json.encode(result), indent=1)
    return bundle.add(_summary_path(result.target), summary, "predictor")


def load_fit(bundle: Bundle, target: str) -> tuple[FitResult, Predictor]:
    """Return the bundle's predictor for ``target`` and its summary.

    Raises:
        NotFittedError: there is none.
        VersionConflict: written by another edgekit or scikit-learn.
        BundleError: the file is damaged, holds what a predictor does not, or is for another target.
    """
    listed = bundle.find("predictor")
    if not {_estimator_path(target), _summary_path(target)} <= set(listed):
        raise NotFittedError(
            f"{bundle.path.name} has no predictor for {target}; make one: "
            f"edgekit bench {bundle.path} --target {target}, then edgekit fit {bundle.path} --target {target}"
        )
    again = f"fit again: edgekit fit {bundle.path} --target {target}"
    version = decode_file(bundle.file(_summary_path(target)), _Versioned).schema_version
    if version != FIT_SCHEMA:
        raise VersionConflict(f"the predictor for {target} was fitted by another edgekit; {again}")
    result = decode_file(bundle.file(_summary_path(target)), FitResult)
    if result.features not in _KNOWN_FEATURES:
        raise VersionConflict(f"the predictor for {target} was fitted by another edgekit; {again}")
    if result.target != target:
        raise BundleError(f"{_summary_path(target)} is of {result.target}, not {target}; {again}")
    require("sklearn", extra="predict")
    require("skops", extra="predict")
    from predictors import AdditiveLatency, VersionMismatch, load_predictor

    try:
        predictor = load_predictor(bundle.file(_estimator_path(target)).read_bytes())
    except VersionMismatch as err:
        raise VersionConflict(f"{err}: edgekit fit {bundle.path} --target {target}") from err
    except ValueError as err:
        raise BundleError(f"{_estimator_path(target)}: {err}") from err
    if isinstance(predictor, AdditiveLatency) or predictor_width(predictor) != len(result.features):
        raise BundleError(f"{_estimator_path(target)} does not go with its summary; {again}")
    return result, predictor


def predictor_width(predictor: Predictor) -> int:
    """Return the number of features a predictor was fitted to."""
    while hasattr(predictor, "predictor"):
        predictor = predictor.predictor
    return int(predictor.n_features_in_)


class _Versioned(msgspec.Struct):
    schema_version: int


def _estimator_path(target: str) -> str:
    return f"predictors/{slug(target)}.skops"


def _summary_path(target: str) -> str:
    return f"predictors/{slug(target)}.json"
