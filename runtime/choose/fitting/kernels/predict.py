"""Predict what a frame of a network takes on a target that never ran it, op by op."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from runtime.bundle import Bundle
from runtime.bundle.workload import Workload
from runtime.choose.fitting.kernels.features import kernel_kinds, op_features
from runtime.choose.fitting.kernels.learn import frame_terms
from runtime.choose.fitting.kernels.result import PRECISION, KernelFit
from runtime.choose.fitting.kernels.storage import has_kernel_fit, load_kernel_fit
from runtime.device.setting import Setting
from runtime.errors import BundleError, NotFittedError

if TYPE_CHECKING:
    from predictors import OpLatency

_MOST_NAMED = 5


@dataclass(frozen=True)
class OpPrediction:
    """What one op is predicted to take; ``low_ms`` to ``high_ms`` holds 90 % of kernels of its kind.

    It is extrapolated where it is larger or smaller than any kernel of its kind that was timed.
    """

    name: str
    kind: str
    latency_ms: float
    low_ms: float
    high_ms: float
    macs: int
    is_extrapolated: bool


@dataclass(frozen=True)
class Prediction:
    """What a frame of a variant is predicted to take on a target that it never ran on.

    Attributes:
        low_ms, high_ms: holds ``confidence`` of the graphs of kernels that were held out.
        frame_ms: what the frame adds to its ops.
        remarks: what the figures do not show.
    """

    model: str
    variant: str
    target: str
    setting: Setting
    latency_ms: float
    low_ms: float
    high_ms: float
    confidence: float
    frame_ms: float
    ops: tuple[OpPrediction, ...]
    provenance: str
    remarks: tuple[str, ...] = ()


def predict(bundle: Bundle, kernels: Path, target: str, name: str | None = None) -> Prediction:
    """Return what a frame of a variant of ``bundle`` takes, from the kernels that were timed on ``target``.

    Args:
        kernels: the bundle that `edgekit fit --kernels` made.
        name: of the variant; default: the first whose engine's kernels are known there.

    Raises:
        ValueError: no such variant.
        NotFittedError: nothing was learnt there for the variant's engine and precision, or the network has
            ops of a kind that was never timed; they are named.
        BundleError: the bundle does not say what a frame costs, op by op.

    Example:
        >>> predict(open_bundle_or_model("net.tflite"), Path("kernels.edgekit"), "local")   # doctest: +SKIP
    """
    variants = bundle.manifest.variants if name is None else (bundle.manifest.variant(name),)
    if not kernels.exists():
        raise NotFittedError(
            f"there are no kernels at {kernels}; time some on {target}: edgekit fit --kernels {kernels} "
            f"--target {target}"
        )
    learnt = Bundle.open(kernels)
    known = [v for v in variants if has_kernel_fit(learnt, target, v.engine) and v.precision == PRECISION]
    variant = (known or variants)[0]
    fit, estimator = load_kernel_fit(learnt, target, variant.engine)
    if variant.precision != fit.precision:
        raise NotFittedError(
            f"{variant.name} is {variant.precision}, the kernels of {kernels} are {fit.precision}; predict a "
            f"variant that is {fit.precision}, or bench this one"
        )
    workload = bundle.workload(variant)
    if workload is None or not workload.ops or any(op.type is None for op in workload.ops):
        raise BundleError(
            f"{bundle.manifest.name} does not say which ops a frame of {variant.name} has; export it again, "
            "or give a .tflite file: a bare .pte does not list them"
        )
    latency_ms, frame_ms, ops = predict_workload(fit, estimator, workload)
    return Prediction(
        model=bundle.manifest.name,
        variant=variant.name,
        target=target,
        setting=fit.setting,
        latency_ms=latency_ms,
        low_ms=latency_ms / fit.spread,
        high_ms=latency_ms * fit.spread,
        confidence=fit.confidence,
        frame_ms=frame_ms,
        ops=ops,
        provenance=f"predicted from {fit.provenance} kernels",
        remarks=tuple(_remarks(ops)),
    )


def predict_workload(
    fit: KernelFit, estimator: OpLatency, workload: Workload
) -> tuple[float, float, tuple[OpPrediction, ...]]:
    """Return ms of a frame, what of it no op takes, and the ops, scaled as they are in a frame.

    Raises:
        NotFittedError: ops of a kind that was never timed; they are named.
    """
    known, named = fit.kind_names, kernel_kinds(workload)
    unknown = Counter(kind for kind in named if kind not in known)
    if unknown:
        raise NotFittedError(_never_seen(unknown, fit))
    features = op_features(workload, known)
    ops_ms, outside = estimator.predict(features), estimator.is_outside(features)
    coef = np.array(fit.frame)
    latency_ms = float(frame_terms(workload, ops_ms) @ coef)
    ops = []
    for op, name, op_ms, is_outside in zip(workload.ops, named, ops_ms, outside, strict=True):
        kind = fit.kinds[known.index(name)]
        one = Workload((op,))
        in_frame_ms = float(frame_terms(one, np.array([op_ms]))[:3] @ coef[:3])
        low_ms, high_ms = in_frame_ms / kind.spread, in_frame_ms * kind.spread
        ops.append(OpPrediction(op.name, kind.name, in_frame_ms, low_ms, high_ms, op.macs, bool(is_outside)))
    return latency_ms, float(coef[3]), tuple(ops)


def _never_seen(unknown: Counter[str], fit: KernelFit) -> str:
    named = ", ".join(f"{kind} ({n} op{'s' if n > 1 else ''})" for kind, n in unknown.most_common())
    why = {kind: fit.left_out[kind] for kind in unknown if kind in fit.left_out}
    reasons = "".join(f"; {kind}: {reason}" for kind, reason in why.items())
    return (
        f"no kernel of {named} was timed on {fit.target}{reasons}; known are {', '.join(fit.kind_names)}: "
        "bench the network itself, or allow more kernels (edgekit fit --kernels --most)"
    )


def _remarks(ops: Sequence[OpPrediction]) -> Iterator[str]:
    names = [op.name for op in ops if op.is_extrapolated]
    if names:
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield (
            f"{len(names)} ops are larger or smaller than any kernel of their kind that was timed: "
            f"{', '.join(names[:_MOST_NAMED])}{more}; their times are extrapolated"
        )
