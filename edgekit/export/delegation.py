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
        DelegationError: an op stands outside that is not allowed to; names all, the most expensive first.
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
    known = [op.latency_share for op in refused if op.latency_share is not None]
    how = f"{sum(known):.0%} of a frame on this machine; the most expensive is" if known else "most often"
    groups: dict[str, list[FallbackOp]] = {}
    for op in refused:
        groups.setdefault(op.op, []).append(op)
    first, *others = sorted(groups.values(), key=lambda ops: (_share(ops), len(ops)), reverse=True)
    told = "; ".join(_told(ops) for ops in (first, *others))
    names = ",".join(ops[0].op for ops in (first, *others))
    return (
        f"{name}: {len(refused)} of {total} ops fall off the fast delegate, {how} {told}, "
        f"or accept {'all' if others else 'it'} with --allow-fallback {names}"
    )


def _share(ops: Sequence[FallbackOp]) -> float:
    return sum(op.latency_share or 0.0 for op in ops)


def _told(ops: Sequence[FallbackOp]) -> str:
    """Return of ops of one name how many there are, where, what they cost, why, and what to do."""
    worst = max(ops, key=lambda op: op.latency_share or 0.0)
    share = "" if worst.latency_share is None else f", {_share(ops):.0%} of a frame"
    return (
        f"{worst.op} ({len(ops)}x, here in {worst.module_path}{share}: {worst.reason}); "
        f"{hint_for(worst.op, worst.reason)}"
    )


def check_allowed(allow_fallback: Collection[str], variants: Sequence[Variant], ops: Collection[str]) -> None:
    """Refuse names of ops that the model does not have.

    Args:
        allow_fallback: names of ops that may leave the delegate.
        variants: all that were exported.
        ops: names of those that the delegates took.

    Raises:
        ValueError: a name is none of the model's ops; lists those that left the delegate.
    """
    left = sorted({op.op for variant in variants if variant.delegation for op in variant.delegation.fallback})
    unknown = sorted(set(allow_fallback) - set(left) - set(ops))
    if unknown:
        raise ValueError(
            f"--allow-fallback names {', '.join(unknown)}, but the model has no such op; these left the "
            f"delegate: {', '.join(left) or 'none'}; "
            + (f"give --allow-fallback {','.join(left)}" if left else "leave the option out")
        )
