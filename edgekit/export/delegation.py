"""The gate every op must pass: inside the delegate, or outside with leave, its price measured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from edgekit.export.backend import Exported
from edgekit.export.hints import hint_for
from runtime.bundle import Delegation, FallbackOp, Variant
from runtime.errors import DelegationError, DeviceError, MissingExtra
from runtime.measure.profiling.profile import fallback_shares, profile_file

_RUNS, _WARMUP = 10, 3


def check_delegation(
    name: str,
    engine: str,
    path: Path,
    exported: Exported,
    allow_fallback: Collection[str],
    progress: Callable[[str], None] = lambda line: None,
) -> Delegation:
    """Return the delegation with what each op outside costs and whether it is allowed there.

    Args:
        name: of the variant.
        engine: that runs the file.
        path: of the exported file; it is run on this machine if an op of it stands outside.
        exported: what is known of it.
        allow_fallback: names of ops that may stand outside.
        progress: called when shares are measured, or with why they cannot be.

    Raises:
        DelegationError: an op stands outside that is not allowed to; names the most expensive.
    """
    fallback = exported.delegation.fallback
    if not fallback:
        return exported.delegation
    progress(f"{name}: measuring what {len(fallback)} ops outside the delegate cost")
    shares = _measure(name, engine, path, exported, progress)
    fallback = tuple(
        replace(op, allowed=op.op in allow_fallback, latency_share=share)
        for op, share in zip(fallback, shares, strict=True)
    )
    refused = [op for op in fallback if not op.allowed]
    if refused:
        raise DelegationError(_refusal(name, exported.delegation.total, refused))
    return replace(exported.delegation, fallback=fallback)


def _measure(
    name: str, engine: str, path: Path, exported: Exported, progress: Callable[[str], None]
) -> Sequence[float | None]:
    variant = Variant(name, engine, "fp32", path.name, delegation=exported.delegation)
    try:
        profile = profile_file(path, variant, exported.workload, runs=_RUNS, warmup=_WARMUP)
    except (DeviceError, MissingExtra) as err:
        progress(f"{name}: their shares of the latency stay unknown: {err}")
        return [None] * len(exported.delegation.fallback)
    return fallback_shares(profile, exported.delegation.fallback)


def _refusal(name: str, total: int, refused: Sequence[FallbackOp]) -> str:
    names = [op.op for op in refused]
    known = [op.latency_share for op in refused if op.latency_share is not None]
    if known:
        worst = max(refused, key=lambda op: op.latency_share or 0.0)
        how = f"{sum(known):.0%} of a frame on this machine; the most expensive is"
        share = f", {worst.latency_share:.0%} of a frame"
    else:
        worst = max(refused, key=lambda op: names.count(op.op))
        how, share = "most often", ""
    return (
        f"{name}: {len(refused)} of {total} ops fall off the fast delegate, {how} {worst.op} "
        f"({names.count(worst.op)}x, here in {worst.module_path}{share}: {worst.reason}); "
        f"{hint_for(worst.op, worst.reason)}, or accept it with --allow-fallback {worst.op}"
    )
