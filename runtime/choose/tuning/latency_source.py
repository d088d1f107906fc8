"""Where a tuner gets latencies: records that leave nothing to predict, or the bundle's predictor."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from runtime.bundle import Bundle
from runtime.choose.fitting import features_of, load_fit
from runtime.choose.fitting.usable import benched_options
from runtime.choose.policy.estimate import Estimate, Model, Option
from runtime.choose.tuning.power_source import PowerSource, power_source
from runtime.choose.tuning.tail import at_quantile, tail_ratio
from runtime.device.provenance import Provenance, least_certain
from runtime.device.soc.account import work_mj
from runtime.device.soc.profile import JOINT
from runtime.measure.records import Record

if TYPE_CHECKING:
    from runtime.targets import Target


@dataclass(frozen=True)
class LatencySource:
    """A model of latency, the options it may be asked, and how far to believe it.

    Attributes:
        name: what it is, in words.
        confidence: share of cases its bounds are made to hold.
        provenance: of what it learnt from.
    """

    model: Model
    options: tuple[Option, ...]
    name: str
    confidence: float
    provenance: Provenance
    notes: tuple[str, ...]


def latency_source(
    bundle: Bundle,
    target: Target,
    records: Sequence[Record],
    threads: Sequence[int] = (),
    variants: Sequence[str] = (),
    quantile: float | None = None,
    *,
    with_model_bounds: bool = True,
) -> LatencySource:
    """Return the records if every option was benched, else the bundle's predictor for ``target``.

    A median that was measured is better than the best prediction of it.

    Args:
        threads, variants: what may be asked for; by default everything that was benched.
        quantile: share of frames that the upper bounds are to hold for, by the spread of the samples;
            by default 90 % of those of a benched setting, and the median's bound of a predicted one.
        with_model_bounds: a modelled latency is bounded by what its model may be off by, see
            ``runtime.device.soc.modelled_latency``; else it is taken as it is.

    Raises:
        NotFittedError: no predictor, and some option was not benched.
        ValueError: nothing that was benched is asked for.
    """
    benched = benched_options(bundle, target, records)
    power = power_source(target, benched)
    if not with_model_bounds:
        benched = {o: replace(r, latency_low_ms=None, latency_high_ms=None) for o, r in benched.items()}
    clusters = {option.setting.cluster for option in benched}
    options = _options(target, variants or _variants(benched), threads or threads_of(benched), clusters)
    if options and all(option in benched for option in options):
        return _from_records(power, benched, options, quantile)
    stretch = _model_stretch(benched.values())
    if quantile is not None and not target.is_modelled:  # modelled latencies have no spread
        stretch = (1.0, tail_ratio(benched.values(), quantile))
    return _from_predictor(bundle, target, power, threads, variants, stretch)


def threads_of(options: Iterable[Option]) -> tuple[int, ...]:
    """Return the numbers of threads that occur in ``options``, ascending."""
    return tuple(sorted({option.setting.threads for option in options}))


def _from_predictor(
    bundle: Bundle,
    target: Target,
    power: PowerSource,
    threads: Sequence[int],
    variants: Sequence[str],
    stretch: tuple[float, float],
) -> LatencySource:
    fit, predictor = load_fit(bundle, target.name)
    asked = _options(target, variants or fit.variants, threads or fit.threads, fit.clocks_khz)
    covered = [o for o in asked if o.variant in fit.variants and fit.covers(o.setting)]
    if not covered:
        raise ValueError(
            f"nothing that was asked for was benched on {target.name}: variants {', '.join(fit.variants)} "
            f"with {', '.join(map(str, fit.threads))} threads were; bench the others and fit again"
        )
    rows = {o: features_of(bundle, target.profile, o.variant, o.setting) for o in covered}
    inside = predictor.is_inside(np.stack(list(rows.values())))
    options = tuple(option for option, is_inside in zip(covered, inside, strict=True) if is_inside)

    def model(options: Sequence[Option]) -> list[Estimate]:
        X = np.stack([rows[option] for option in options])
        latencies = np.column_stack([predictor.predict(X), predictor.predict_interval(X) * stretch])
        return [estimate_of(o, power, *map(float, row)) for o, row in zip(options, latencies, strict=True)]

    left_out = len(asked) - len(options)
    notes = [f"{left_out} settings beyond what was benched were left out"] if left_out else []
    if stretch[1] != 1.0:
        why = "what the model may be off by" if target.is_modelled else "the spread of the samples"
        notes.append(f"upper bounds are those of the median times {stretch[1]:.3g}, {why}")
    name = f"{fit.chosen} ({fit.scores[fit.chosen]:.2g} % off in cross-validation by {fit.grouped_by})"
    return LatencySource(model, options, name, fit.confidence, fit.provenance, tuple(notes))


def _from_records(
    power: PowerSource, benched: Mapping[Option, Record], options: tuple[Option, ...], quantile: float | None
) -> LatencySource:
    high_ms = {option: _upper_ms(benched[option], quantile) for option in options}
    confidence = 0.9 if quantile is None else quantile  # three of a block's 30 samples lie beyond

    def model(options: Sequence[Option]) -> list[Estimate]:
        return [
            estimate_of(o, power, benched[o].latency_ms, _lower_ms(benched[o]), high_ms[o]) for o in options
        ]

    provenance = least_certain(record.provenance for record in benched.values())
    bound = f"the upper bound is the {100 * confidence:g}th percentile"
    if any(benched[option].latency_high_ms for option in options):
        bound = (
            "the upper bound is what the model may be off by, and governors are compared at the modelled "
            "latencies themselves; --margin 0 chooses at these, too"
        )
    notes = [f"every setting was benched, so nothing is predicted; {bound}"]
    unstable = sum(not benched[option].is_trusted for option in options)
    if unstable:
        notes.append(f"{unstable} of {len(options)} settings were judged unstable when they were benched")
    return LatencySource(model, options, "the medians of the records", confidence, provenance, tuple(notes))


def _lower_ms(record: Record) -> float:
    return record.latency_low_ms or min(record.samples_ms)


def _upper_ms(record: Record, quantile: float | None) -> float:
    if record.latency_high_ms is not None:
        return record.latency_high_ms
    return record.p90_ms if quantile is None else at_quantile(record, quantile)


def _model_stretch(records: Iterable[Record]) -> tuple[float, float]:
    """Return by what the model's bounds scale a latency, the widest of ``records``; 1 where none has any."""
    bounded = [(r.latency_low_ms, r.latency_ms, r.latency_high_ms) for r in records]
    shares = [(low / ms, high / ms) for low, ms, high in bounded if low is not None and high is not None]
    return min((low for low, _ in shares), default=1.0), max((high for _, high in shares), default=1.0)


def estimate_of(
    option: Option, power: PowerSource, latency_ms: float, low_ms: float, high_ms: float
) -> Estimate:
    """Return the estimate with these latencies, and energy where the power is known."""
    figure = power(option)
    power_mw = None if figure is None else figure.power_mw
    energy_mj = None if power_mw is None else work_mj(power_mw, latency_ms)
    return Estimate(option.variant, option.setting, latency_ms, low_ms, high_ms, power_mw, energy_mj)


def _options(
    target: Target, variants: Iterable[str], threads: Sequence[int], clusters: Iterable[str]
) -> tuple[Option, ...]:
    """Return what the target offers, and on those of ``clusters`` that are several as one."""
    if not (variants := tuple(variants)):
        return ()
    settings = dict.fromkeys(target.settings(tuple(threads)))
    for name in sorted(name for name in clusters if JOINT in name):
        with contextlib.suppress(ValueError):  # other numbers of threads
            settings |= dict.fromkeys(target.settings(tuple(threads), (name,)))
    return tuple(Option(name, setting) for name in variants for setting in settings)


def _variants(options: Iterable[Option]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(option.variant for option in options))
