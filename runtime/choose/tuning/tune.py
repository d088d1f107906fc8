"""From latencies to a policy: choose the setting, compare it with governors, save both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from runtime.bundle import Bundle, Variant
from runtime.choose.fitting.usable import OLDER_VERSIONS, benched_options, usable_records
from runtime.choose.policy.battery_life import battery_life
from runtime.choose.policy.estimate import Estimate, Option
from runtime.choose.policy.policy import Policy, save_policy
from runtime.choose.tuning.choice import choose
from runtime.choose.tuning.comparison import compare
from runtime.choose.tuning.latency_source import latency_source
from runtime.choose.tuning.power_source import PowerSource, idle_mw, power_source
from runtime.choose.tuning.reason import explain
from runtime.choose.tuning.regret import explain_regret
from runtime.choose.tuning.request import DEFAULT_FPS, PolicyRequest, goal_of
from runtime.device.provenance import Provenance, least_certain
from runtime.measure.records import Record
from runtime.targets.target import BatteryPowered

if TYPE_CHECKING:
    from runtime.targets import Target


def tune_bundle(
    bundle: Bundle,
    target: Target,
    request: PolicyRequest | float = DEFAULT_FPS,
    *,
    records: Iterable[Record] = (),
    threads: Sequence[int] = (),
    variants: Sequence[str] = (),
) -> tuple[Bundle, Policy]:
    """Choose the setting that answers ``request`` best and save the policy in the bundle.

    Latencies come from the bundle's predictor; a target of which every setting was benched needs
    none. The comparison takes true latencies where they are known: modelled for every setting of a
    virtual target, the benched ones of a real one.

    Args:
        request: objective and limits; a number is the frame rate to meet for the least energy.
        records: of ``bench``; needed on a real target for the comparison.
        threads, variants: what to choose among; by default everything that was benched.

    Raises:
        DataError: the records are of two machines.
        ValueError: a request out of range, or one for energy where no power is known; a base power beside a
            gross one; nothing that was benched is asked for, or variants of several graphs, which do
            different work, are.
        NotFittedError: no predictor, and not every setting was benched.

    Example:
        >>> tune_bundle(bundle, target, PolicyRequest(fps=30, max_power_mw=500))   # doctest: +SKIP
    """
    request = request if isinstance(request, PolicyRequest) else PolicyRequest(fps=request)
    _check_variants(bundle, variants)
    records = list(records)
    benched = benched_options(bundle, target, records)
    source = latency_source(
        bundle,
        target,
        records,
        threads,
        variants,
        request.quantile,
        with_model_bounds=request.margin_pct is None,
    )
    considered = tuple(source.model(source.options))
    power = power_source(target, benched)
    if request.base_mw is not None:
        _refuse_gross(source.options, power)
    base_mw = idle_mw(benched.values()) if request.base_mw is None else request.base_mw
    goal = goal_of(request, target, considered, base_mw)
    choice = choose(source.options, source.model, goal)

    chosen = choice.chosen
    comparison, remarks = compare(bundle, target, records, source.options, chosen, goal, considered)
    figure = power(Option(chosen.variant, chosen.setting))
    variant = bundle.manifest.variant(chosen.variant)
    policy = Policy(
        model=bundle.manifest.name,
        model_sha256=next(e.sha256 for e in bundle.manifest.files if e.path == variant.path),
        target=target.name,
        goal=goal,
        chosen=chosen,
        meets_target=choice.meets_goal,
        confidence=source.confidence,
        energy_source=_energy_note(target, benched) if figure is None else figure.source,
        provenance=source.provenance,
        predictor=source.name,
        reason=" ".join(filter(None, (explain(choice, goal), explain_regret(choice, goal, power)))),
        winners=choice.winners,
        losers=choice.losers,
        considered=considered,
        comparison=comparison,
        notes=source.notes
        + _without_spread(request, source.provenance)
        + _without_power(considered)
        + _of_older_versions(bundle, target, records)
        + _of_flow(benched, chosen.variant)
        + remarks,
        created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        battery=battery_life(chosen, goal, *_battery_of(request, target)),
        energy_provenance=None if figure is None else least_certain((source.provenance, figure.provenance)),
    )
    return save_policy(bundle, policy), policy


def _refuse_gross(options: Sequence[Option], power: PowerSource) -> None:
    """Raise where a power already holds the idle device, that would be counted twice beside ``base_mw``."""
    for option in options:
        figure = power(option)
        if figure is not None and figure.is_gross:
            raise ValueError(
                f"--base-mw is given, and the power on {option.setting} ({figure.source}) is gross: it holds "
                "the idle device already; leave --base-mw out, or bench with a meter that reads it idle, too"
            )


def _energy_note(target: Target, benched: Mapping[Option, Record]) -> str:
    """Return why there is no power: what the meter of the bench said, or what the target says."""
    said = [record.energy for record in benched.values() if record.energy is not None]
    return said[-1].text if said and said[-1].power_mw is None else target.energy_note


def _of_older_versions(bundle: Bundle, target: Target, records: Sequence[Record]) -> tuple[str, ...]:
    count = usable_records(bundle, target.name, records, include_unstable=True)[1].get(OLDER_VERSIONS)
    if not count:
        return ()
    return (f"{count} records are of an {OLDER_VERSIONS} than the last and do not count: bench again",)


def _of_flow(benched: Mapping[Option, Record], variant: str) -> tuple[str, ...]:
    """Return what a frame is where it is a whole flow, and what of it the latencies leave out."""
    of_variant = (record for option, record in benched.items() if option.variant == variant)
    flow = next((record.flow for record in of_variant if record.flow is not None), None)
    return () if flow is None else (f"a frame is {flow.frame}",)


def _battery_of(request: PolicyRequest, target: Target) -> tuple[float | None, str]:
    if request.battery_mwh is not None:
        return request.battery_mwh, "as given"
    found = target.read_battery_mwh() if isinstance(target, BatteryPowered) else None
    return found or (None, "")


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


def _without_spread(request: PolicyRequest, provenance: Provenance) -> tuple[str, ...]:
    if request.quantile is None or provenance is not Provenance.MODELLED:
        return ()
    return ("modelled latencies have no spread: every frame keeps the bound, whatever share was asked",)


def _without_power(considered: Sequence[Estimate]) -> tuple[str, ...]:
    dark = [estimate for estimate in considered if estimate.energy_mj is None]
    if not dark or len(dark) == len(considered):
        return ()
    return (f"{len(dark)} of {len(considered)} settings rank last: no power is known for them",)
