"""Where a tuner gets latencies: records that leave nothing to predict, or the bundle's predictor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from runtime.bundle import Bundle
from runtime.choose.fitting import features_of, load_fit
from runtime.choose.fitting.usable import benched_options
from runtime.choose.policy.estimate import Estimate, Model, Option
from runtime.choose.tuning.power_source import PowerSource, power_source
from runtime.choose.tuning.tail import at_quantile, tail_ratio
from runtime.device.provenance import Provenance, least_certain
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
) -> LatencySource:
    """Return the records if every option was benched, else the bundle's predictor for ``target``.

    A median that was measured is better than the best prediction of it.

    Args:
        threads, variants: what may be asked for; by default everything that was benched.
        quantile: share of frames that the upper bounds are to hold for, by the spread of the samples;
            by default 90 % of those of a benched setting, and the median's bound of a predicted one.

    Raises:
        NotFittedError: no predictor, and some option was not benched.
        ValueError: nothing that was benched is asked for.
    """
    benched = benched_options(bundle, target, records)
    power = power_source(target, benched)
    options = _options(target, variants or _variants(benched), threads or threads_of(benched))
    if options and all(option in benched for option in options):
        return _from_records(power, benched, options, quantile)
    stretch = 1.0
    if quantile is not None and not target.is_modelled:  # modelled latencies have no spread
        stretch = tail_ratio(benched.values(), quantile)
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
    stretch: float,
) -> LatencySource:
    fit, predictor = load_fit(bundle, target.name)
    asked = _options(target, variants or fit.variants, threads or fit.threads)
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
        latencies = np.column_stack([predictor.predict(X), predictor.predict_interval(X) * (1.0, stretch)])
        return [estimate_of(o, power, *map(float, row)) for o, row in zip(options, latencies, strict=True)]

    left_out = len(asked) - len(options)
    notes = [f"{left_out} settings beyond what was benched were left out"] if left_out else []
    if stretch != 1.0:
        notes.append(f"upper bounds are those of the median times {stretch:.3g}, the spread of the samples")
    name = f"{fit.chosen} ({fit.scores[fit.chosen]:.2g} % off in cross-validation by {fit.grouped_by})"
    return LatencySource(model, options, name, fit.confidence, fit.provenance, tuple(notes))


def _from_records(
    power: PowerSource, benched: Mapping[Option, Record], options: tuple[Option, ...], quantile: float | None
) -> LatencySource:
    high_ms = {
        option: benched[option].p90_ms if quantile is None else at_quantile(benched[option], quantile)
        for option in options
    }
    confidence = 0.9 if quantile is None else quantile  # three of a block's 30 samples lie beyond

    def model(options: Sequence[Option]) -> list[Estimate]:
        return [
            estimate_of(o, power, benched[o].latency_ms, min(benched[o].samples_ms), high_ms[o])
            for o in options
        ]

    provenance = least_certain(record.provenance for record in benched.values())
    bound = f"the upper bound is the {100 * confidence:g}th percentile"
    notes = [f"every setting was benched, so nothing is predicted; {bound}"]
    unstable = sum(benched[option].verdict != "stable" for option in options)
    if unstable:
        notes.append(f"{unstable} of {len(options)} settings were judged unstable when they were benched")
    return LatencySource(model, options, "the medians of the records", confidence, provenance, tuple(notes))


def estimate_of(
    option: Option, power: PowerSource, latency_ms: float, low_ms: float, high_ms: float
) -> Estimate:
    """Return the estimate with these latencies, and energy where the power is known."""
    figure = power(option)
    power_mw = None if figure is None else figure.power_mw
    energy_mj = None if power_mw is None else power_mw * latency_ms / 1000.0
    return Estimate(option.variant, option.setting, latency_ms, low_ms, high_ms, power_mw, energy_mj)


def _options(target: Target, variants: Iterable[str], threads: Sequence[int]) -> tuple[Option, ...]:
    return tuple(Option(name, setting) for name in variants for setting in target.settings(tuple(threads)))


def _variants(options: Iterable[Option]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(option.variant for option in options))
