"""Where a bundle of kernels keeps what was learnt from it, and what is checked before that is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from runtime.bundle import Bundle, decode_file
from runtime.bundle.names import slug
from runtime.choose.fitting.kernels.features import OP_COLUMNS
from runtime.choose.fitting.kernels.result import KERNEL_FIT_SCHEMA, KernelFit
from runtime.errors import BundleError, NotFittedError, VersionConflict
from runtime.extras import require

if TYPE_CHECKING:
    from predictors import OpLatency


def save_kernel_fit(bundle: Bundle, result: KernelFit, predictor: OpLatency) -> Bundle:
    """Return ``bundle`` with the predictor and its summary in it."""
    from predictors import save_predictor

    stem = _stem(result.target, result.engine)
    bundle = bundle.add(f"{stem}.skops", save_predictor(predictor), "predictor")
    return bundle.add(f"{stem}.json", msgspec.json.format(msgspec.json.encode(result), indent=1), "predictor")


def has_kernel_fit(bundle: Bundle, target: str, engine: str) -> bool:
    """Return whether the bundle knows an engine's kernels on ``target``."""
    stem = _stem(target, engine)
    return {f"{stem}.skops", f"{stem}.json"} <= set(bundle.find("predictor"))


def load_kernel_fit(bundle: Bundle, target: str, engine: str) -> tuple[KernelFit, OpLatency]:
    """Return what was learnt of an engine's kernels on ``target``.

    Raises:
        NotFittedError: nothing was.
        VersionConflict: written by another edgekit or scikit-learn.
        BundleError: a file is damaged, or is of another target or engine.
    """
    stem = _stem(target, engine)
    again = f"edgekit fit --kernels {bundle.path} --target {target} --engine {engine}"
    if not has_kernel_fit(bundle, target, engine):
        raise NotFittedError(
            f"{bundle.path.name} knows no kernels of {engine} on {target}; learn them: {again}"
        )
    summary = bundle.file(f"{stem}.json")
    conflict = VersionConflict(f"the kernels of {target} were fitted by another edgekit; fit again: {again}")
    if decode_file(summary, _Versioned).schema_version != KERNEL_FIT_SCHEMA:
        raise conflict
    result = decode_file(summary, KernelFit)
    if result.columns != OP_COLUMNS:
        raise conflict
    if (result.target, result.engine) != (target, engine):
        raise BundleError(f"{summary.name} is of {result.engine} on {result.target}; fit again: {again}")
    require("sklearn", extra="predict")
    require("skops", extra="predict")
    from predictors import OpLatency, VersionMismatch, load_predictor

    try:
        predictor = load_predictor(bundle.file(f"{stem}.skops").read_bytes())
    except VersionMismatch as err:
        raise VersionConflict(f"{err}: {again}") from err
    except ValueError as err:
        raise BundleError(f"{stem}.skops: {err}") from err
    kinds = list(range(len(result.kinds)))
    if not isinstance(predictor, OpLatency) or predictor.n_features_in_ != len(OP_COLUMNS):
        raise BundleError(f"{stem}.skops does not go with its summary; fit again: {again}")
    if predictor.kinds_ != kinds:
        raise BundleError(f"{stem}.skops knows other kinds than its summary; fit again: {again}")
    return result, predictor


class _Versioned(msgspec.Struct):
    schema_version: int


def _stem(target: str, engine: str) -> str:
    return f"predictors/kernels-{slug(target)}-{engine}"
