"""Fit a latency predictor to the records of a bench, and save it in the bundle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import numpy as np

from runtime.bundle import Bundle
from runtime.choose.fitting.features import COST_NAMES, FEATURE_NAMES
from runtime.choose.fitting.result import FitResult, clocks_of
from runtime.choose.fitting.storage import save_fit
from runtime.choose.fitting.usable import features_of, ran_at, usable_records
from runtime.device.provenance import least_certain
from runtime.errors import DataError
from runtime.extras import require
from runtime.measure.origin import check_one_machine
from runtime.measure.records import Record

if TYPE_CHECKING:
    from predictors import LatencyPredictor
    from runtime.targets import Target

# Fewer cannot fill the five folds of the cross-validation and the quarter that calibrates the interval.
_WORKLOADS_FOR_GROUPS = 12
# Rows that a fold of the cross-validation trains on, per column of costs: with fewer, a sum of costs has
# as many unknowns as equations and fits whatever it sees.
_ROWS_PER_COST = 2


@dataclass(frozen=True)
class _Row:
    """A record with the bundle it is of."""

    bundle: Bundle
    record: Record

    @property
    def kind(self) -> tuple[str, str]:
        return self.record.engine, self.record.precision


def fit_bundle(
    bundle: Bundle,
    target: Target,
    records: Iterable[Record],
    *,
    also: Sequence[tuple[Bundle, Iterable[Record]]] = (),
    alpha: float = 0.1,
    seed: int = 0,
    include_unstable: bool = False,
) -> tuple[Bundle, FitResult]:
    """Fit a latency predictor for ``target`` and save it in the bundle.

    Args:
        records: as ``bench`` wrote them; those of other targets or model files are left out.
        also: other bundles with their records, to learn from them, too. From a dozen models on, whole
            models are kept apart in cross-validation, sums of the costs of their ops compete with the
            other regressors, and the bundle itself needs no records.
        alpha: share of settings that may exceed the latency bound. A tenth needs nine groups set aside;
            a twentieth would need nineteen, more than a quarter of most phones' clocks.
        include_unstable: learn from records whose verdict is unstable, too.

    Raises:
        DataError: too few usable records; the message says how many are needed. Or they are of two
            machines; both are named.
        MissingExtra: scikit-learn is not installed.
    """
    require("sklearn", extra="predict")
    require("skops", extra="predict")
    from predictors import LatencyPredictor

    rows: list[_Row] = []
    left_out: dict[str, int] = {}
    for each, log in ((bundle, records), *also):
        kept, dropped = usable_records(each, target.name, log, include_unstable)
        rows += [_Row(each, record) for record in kept]
        left_out = {key: left_out.get(key, 0) + dropped.get(key, 0) for key in {**left_out, **dropped}}
    check_one_machine(row.record for row in rows)
    groups, grouped_by = _groups(rows)
    needed = LatencyPredictor.groups_required(alpha)
    n_groups = len(set(groups))
    if n_groups < needed:
        raise DataError(_too_few(bundle, target, n_groups, needed, left_out.get("unstable", 0)))
    variants = tuple(v.name for v in bundle.manifest.variants if _is_known(v.name, bundle, rows, grouped_by))
    if not variants:
        raise DataError(_unseen(bundle, target, rows))

    with_costs = grouped_by == "workload" and len(rows) >= 2 * _ROWS_PER_COST * len(COST_NAMES)
    names = FEATURE_NAMES + COST_NAMES * with_costs
    profile = target.profile
    X = np.stack(
        [features_of(r.bundle, profile, r.record.variant, ran_at(r.record), with_costs) for r in rows]
    )
    y = np.array([row.record.latency_ms for row in rows])
    predictor = LatencyPredictor(
        alpha=alpha, random_state=seed, costs=tuple(range(len(FEATURE_NAMES), len(names)))
    ).fit(X, y, np.array(groups))

    result = FitResult(
        target=target.name,
        scores={name: float(score) for name, score in predictor.scores_.items()},
        chosen=predictor.chosen_,
        holdout_mape_pct=predictor.holdout_mape_pct_,
        interval_pct=100.0 * float(np.expm1(predictor.half_width_)),
        confidence=1.0 - alpha,
        n_records=len(rows),
        n_groups=predictor.n_groups_,
        grouped_by=grouped_by,
        left_out=left_out,
        provenance=least_certain(row.record.provenance for row in rows),
        variants=variants,
        clocks_khz=clocks_of(row.record.setting for row in rows),
        threads=tuple(sorted({row.record.setting.threads for row in rows})),
        features=names,
        seed=seed,
        created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        interval="normalised" if predictor.normalized_ else "split",
        interval_reason=_why_interval(predictor),
        models=tuple(dict.fromkeys(row.bundle.manifest.name for row in rows)),
    )
    return save_fit(bundle, result, predictor), result


def _groups(rows: Sequence[_Row]) -> tuple[list[str], str]:
    """Return what cross-validation keeps together: workloads where there are many, else clocks."""
    by_workload = []
    for row in rows:
        variant = row.bundle.manifest.variant(row.record.variant)
        by_workload.append(f"{row.bundle.path.resolve()} {row.bundle.manifest.name} {variant.workload}")
    if len(set(by_workload)) >= _WORKLOADS_FOR_GROUPS:
        return by_workload, "workload"
    settings = [row.record.setting for row in rows]
    return [f"{setting.cluster} {setting.freq_khz}" for setting in settings], "cluster and clock"


def _is_known(name: str, bundle: Bundle, rows: Sequence[_Row], grouped_by: str) -> bool:
    """Return whether a variant was benched, or is of a kind of which enough other models were."""
    variant = bundle.manifest.variant(name)
    if any(row.bundle is bundle and row.record.variant == name for row in rows):
        return True
    kinds = {row.kind for row in rows if row.bundle is not bundle}
    return grouped_by == "workload" and (variant.engine, variant.precision) in kinds


def _why_interval(predictor: LatencyPredictor) -> str:
    """Return why the predictor's kind of interval was taken, in words with the widths."""
    covered = f"{1 - predictor.alpha:.0%} of the groups left out in cross-validation"
    if not predictor.widths_:
        return f"equally wide everywhere: too few groups to tell where predictions are hard ({covered})"
    split, normalised = (100 * np.expm1(predictor.widths_[kind]) for kind in ("split", "normalised"))
    shape = "wide where predictions are hard" if predictor.normalized_ else "equally wide everywhere"
    return (
        f"{shape}: to hold {covered}, intervals are {normalised:.2g} % wide on average with a learnt "
        f"difficulty and {split:.2g} % without"
    )


def _unseen(bundle: Bundle, target: Target, rows: Sequence[_Row]) -> str:
    models = len({row.bundle.path for row in rows})
    return (
        f"no variant of {bundle.path.name} was benched on {target.name}, and {models} other models with "
        f"records of its kind are too few to predict it from ({_WORKLOADS_FOR_GROUPS} are needed); run: "
        f"edgekit bench {bundle.path} --target {target.name}"
    )


def _too_few(bundle: Bundle, target: Target, got: int, needed: int, unstable: int) -> str:
    offered = len({(setting.cluster, setting.freq_khz) for setting in target.settings()})
    if offered < needed:
        return (
            f"{target.name} offers {offered} clocks, a predictor needs at least {needed} benched; "
            "skip fit: `edgekit tune` takes what was benched"
        )
    hint = f" ({unstable} records more are unstable: --include-unstable uses them)" if unstable else ""
    return (
        f"{got} clocks of {bundle.path.name} were benched on {target.name}{hint}, at least {needed} are "
        f"needed; run: edgekit bench {bundle.path} --target {target.name}"
    )
