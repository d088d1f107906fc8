"""From latencies to a policy: choose the setting, compare it with the kernel's governors, save both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runtime.bundle import Bundle, Variant
from runtime.choice import Estimate, choose
from runtime.comparison import compare
from runtime.latency_source import latency_source
from runtime.policy import AWAKE, Policy, save_policy
from runtime.records import Record

if TYPE_CHECKING:
    from runtime.targets import Target


def tune_bundle(
    bundle: Bundle,
    target: Target,
    fps: float,
    *,
    records: Iterable[Record] = (),
    margin_pct: float = 0.0,
    threads: Sequence[int] = (),
    variants: Sequence[str] = (),
) -> tuple[Bundle, Policy]:
    """Choose the cheapest setting that meets ``fps`` and save the policy in the bundle.

    Latencies come from the bundle's predictor; a target of which every setting was benched needs
    none. The comparison takes true latencies where they are known: modelled for every setting of a
    virtual target, the benched ones of a real one.

    Args:
        records: of ``bench``; needed on a real target for the comparison.
        margin_pct: head room on ``fps``, on top of the interval's.
        threads, variants: what to choose among; by default everything that was benched.

    Raises:
        ValueError: ``fps`` or ``margin_pct`` out of range, nothing that was benched is asked for, or
            variants of several graphs, which do different work, are.
        NotFittedError: no predictor, and not every setting was benched.
    """
    if not 0 < fps <= 1000 or not 0 <= margin_pct <= 100:
        given = f"fps is {fps:g}, margin {margin_pct:g} %"
        raise ValueError(f"{given}; allowed: fps above 0 and up to 1000, margin 0 to 100 %")
    _check_variants(bundle, variants)
    records = list(records)
    source = latency_source(bundle, target, records, threads, variants)
    deadline_ms = 1000.0 / (fps * (1.0 + margin_pct / 100.0))
    choice = choose(source.options, source.model, deadline_ms)
    considered = tuple(source.model(source.options))

    chosen = choice.chosen
    comparison, remarks = compare(bundle, target, records, source.options, chosen, fps)
    figure = target.power(chosen.setting)
    variant = bundle.manifest.variant(chosen.variant)
    policy = Policy(
        model=bundle.manifest.name,
        model_sha256=next(e.sha256 for e in bundle.manifest.files if e.path == variant.path),
        target=target.name,
        objective=AWAKE,
        fps_target=fps,
        margin_pct=margin_pct,
        deadline_ms=deadline_ms,
        chosen=chosen,
        meets_target=choice.meets_deadline,
        confidence=source.confidence,
        energy_source=target.energy_note if figure is None else figure.source,
        provenance=source.provenance,
        predictor=source.name,
        reason=choice.reason,
        winners=choice.winners,
        too_slow=choice.fastest,
        considered=considered,
        comparison=comparison,
        notes=source.notes + _without_power(considered) + remarks,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return save_policy(bundle, policy), policy


def _check_variants(bundle: Bundle, names: Sequence[str]) -> None:
    chosen = [bundle.manifest.variant(name) for name in names] or list(bundle.manifest.variants)
    graphs = dict.fromkeys(variant.graph for variant in chosen)
    if len(graphs) > 1:
        raise ValueError(
            f"the variants are of {len(graphs)} graphs ({', '.join(graphs)}) that do different work; choose "
            f"among those of one, with: {' '.join(f'--variant {v.name}' for v in _of_one(chosen))}"
        )


def _of_one(variants: Sequence[Variant]) -> list[Variant]:
    return [variant for variant in variants if variant.graph == variants[0].graph]


def _without_power(considered: Sequence[Estimate]) -> tuple[str, ...]:
    dark = [estimate for estimate in considered if estimate.energy_mj is None]
    if not dark or len(dark) == len(considered):
        return ()
    return (f"{len(dark)} of {len(considered)} settings rank last: no power is known for them",)
