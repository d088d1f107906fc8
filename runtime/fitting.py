"""Records in, a latency predictor out, saved in the bundle with the errors it was chosen by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from runtime.bundle import Bundle, decode_file
from runtime.errors import BundleError, DataError, NotFittedError, VersionConflict
from runtime.extras import require
from runtime.features import FEATURE_NAMES, features
from runtime.policy import slug
from runtime.records import Record
from runtime.setting import Setting
from runtime.soc import SocProfile

if TYPE_CHECKING:
    from predictors import LatencyPredictor
    from runtime.targets import Target

FIT_SCHEMA = 1
_WORKLOADS_FOR_GROUPS = 12  # fewer cannot fill the folds and the groups set aside


@dataclass(frozen=True)
class FitResult:
    """What a predictor was fitted to and how well it does.

    Attributes:
        scores: error of each candidate in percent, by grouped cross-validation.
        chosen: name of the candidate with the least.
        holdout_mape_pct: its error on groups that neither the fit nor the choice has seen.
        interval_pct: how far the upper latency bound lies above the expected latency.
        confidence: share of new groups the interval is made to hold.
        n_records, n_groups, grouped_by: what it learnt from, and what was kept together.
        left_out: records not used, by reason.
        provenance: ``measured`` or ``modelled``, of the records.
        variants: those that were benched.
        clocks_khz: lowest and highest clock benched per cluster; ``None`` is the kernel's clock.
        threads: numbers of threads benched.
    """

    target: str
    scores: dict[str, float]
    chosen: str
    holdout_mape_pct: float
    interval_pct: float
    confidence: float
    n_records: int
    n_groups: int
    grouped_by: str
    left_out: dict[str, int]
    provenance: str
    variants: tuple[str, ...]
    clocks_khz: dict[str, tuple[int | None, int | None]]
    threads: tuple[int, ...]
    features: tuple[str, ...]
    seed: int
    created_utc: str
    schema_version: int = FIT_SCHEMA

    def covers(self, setting: Setting) -> bool:
        """Return whether ``setting`` lies between settings that were benched."""
        if setting.cluster not in self.clocks_khz or setting.threads not in self.threads:
            return False
        low_khz, high_khz = self.clocks_khz[setting.cluster]
        if setting.freq_khz is None or low_khz is None or high_khz is None:
            return setting.freq_khz is low_khz is high_khz
        return low_khz <= setting.freq_khz <= high_khz


def fit_bundle(
    bundle: Bundle,
    target: Target,
    records: Iterable[Record],
    *,
    alpha: float = 0.1,
    seed: int = 0,
    include_unstable: bool = False,
) -> tuple[Bundle, FitResult]:
    """Fit a latency predictor for ``target`` and save it in the bundle.

    Args:
        records: as ``bench`` wrote them; those of other targets or model files are left out.
        alpha: share of settings that may exceed the latency bound.
        include_unstable: learn from records whose verdict is unstable, too.

    Raises:
        DataError: too few usable records; the message says how many are needed.
        MissingExtra: scikit-learn is not installed.
    """
    require("sklearn", extra="predict")
    require("skops", extra="predict")
    from predictors import LatencyPredictor, save_predictor

    kept, left_out = usable_records(bundle, target.name, records, include_unstable)
    groups, grouped_by = _groups(bundle, kept)
    needed = LatencyPredictor.groups_required(alpha)
    if len(set(groups)) < needed:
        raise DataError(_too_few(bundle, target, len(set(groups)), needed, left_out.get("unstable", 0)))
    X = np.stack([features_of(bundle, target.profile, r.variant, ran_at(r)) for r in kept])
    y = np.array([record.latency_ms for record in kept])
    predictor = LatencyPredictor(alpha=alpha, random_state=seed).fit(X, y, np.array(groups))

    result = FitResult(
        target=target.name,
        scores={name: float(score) for name, score in predictor.scores_.items()},
        chosen=predictor.chosen_,
        holdout_mape_pct=predictor.holdout_mape_pct_,
        interval_pct=100.0 * (float(np.exp(predictor.half_width_)) - 1.0),
        confidence=1.0 - alpha,
        n_records=len(kept),
        n_groups=predictor.n_groups_,
        grouped_by=grouped_by,
        left_out=left_out,
        provenance="+".join(sorted({record.provenance for record in kept})),
        variants=tuple(dict.fromkeys(record.variant for record in kept)),
        clocks_khz=_clocks(kept),
        threads=tuple(sorted({record.setting.threads for record in kept})),
        features=FEATURE_NAMES,
        seed=seed,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    bundle = bundle.add(_estimator_path(target.name), save_predictor(predictor), "predictor")
    summary = msgspec.json.format(msgspec.json.encode(result), indent=1)
    return bundle.add(_summary_path(target.name), summary, "predictor"), result


def load_fit(bundle: Bundle, target: str) -> tuple[FitResult, LatencyPredictor]:
    """Return the bundle's predictor for ``target`` and its summary.

    Raises:
        NotFittedError: there is none.
        VersionConflict: written by another edgekit or scikit-learn.
        BundleError: the file is damaged or holds what a predictor does not.
    """
    listed = bundle.find("predictor")
    if not {_estimator_path(target), _summary_path(target)} <= set(listed):
        raise NotFittedError(
            f"{bundle.path.name} has no predictor for {target}; make one: "
            f"edgekit bench {bundle.path} --target {target}, then edgekit fit {bundle.path} --target {target}"
        )
    result = decode_file(bundle.file(_summary_path(target)), FitResult)
    again = f"fit again: edgekit fit {bundle.path} --target {target}"
    if result.schema_version != FIT_SCHEMA or result.features != FEATURE_NAMES:
        raise VersionConflict(f"the predictor for {target} was fitted by another edgekit; {again}")
    require("sklearn", extra="predict")
    require("skops", extra="predict")
    from predictors import VersionMismatch, load_predictor

    try:
        predictor = load_predictor(bundle.file(_estimator_path(target)).read_bytes())
    except VersionMismatch as err:
        raise VersionConflict(f"{err}: edgekit fit {bundle.path} --target {target}") from err
    except ValueError as err:
        raise BundleError(f"{_estimator_path(target)}: {err}") from err
    return result, predictor


def usable_records(
    bundle: Bundle, target: str, records: Iterable[Record], include_unstable: bool = False
) -> tuple[list[Record], dict[str, int]]:
    """Return the records of this bundle's files on ``target``, and how many were left out by reason."""
    hashes = {entry.path: entry.sha256 for entry in bundle.manifest.files}
    current = {variant.name: hashes[variant.path] for variant in bundle.manifest.variants}
    kept: list[Record] = []
    left_out = {"other target": 0, "other model file": 0, "paced frames": 0, "unstable": 0}
    for record in records:
        if record.target != target:
            left_out["other target"] += 1
        elif current.get(record.variant) != record.model_sha256:
            left_out["other model file"] += 1
        elif record.fps_target is not None:
            left_out["paced frames"] += 1  # waiting cools caches and clocks: another latency altogether
        elif record.verdict != "stable" and not include_unstable:
            left_out["unstable"] += 1
        else:
            kept.append(record)
    return kept, {reason: count for reason, count in left_out.items() if count}


def ran_at(record: Record) -> Setting:
    """Return the setting the machine says it ran at, or the one asked where it cannot say."""
    read = record.setting_read
    return record.setting if read is None or read.freq_khz is None else read


def features_of(bundle: Bundle, profile: SocProfile, variant_name: str, setting: Setting) -> np.ndarray:
    """Return the features of a variant of the bundle under ``setting``.

    Raises:
        BundleError: the bundle does not say what a frame of the variant costs.
    """
    variant = bundle.manifest.variant(variant_name)
    workload = bundle.workload(variant)
    if workload is None:
        raise BundleError(f"{bundle.path.name} has no workload table for {variant_name}; export it again")
    return features(workload, profile, setting, variant.precision, variant.engine)


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


def _groups(bundle: Bundle, records: Sequence[Record]) -> tuple[list[str], str]:
    """Return what cross-validation keeps together: workloads where there are many, else clocks."""
    by_workload = [str(bundle.manifest.variant(record.variant).workload) for record in records]
    if len(set(by_workload)) >= _WORKLOADS_FOR_GROUPS:
        return by_workload, "workload"
    settings = [record.setting for record in records]
    return [f"{setting.cluster} {setting.freq_khz}" for setting in settings], "cluster and clock"


def _clocks(records: Iterable[Record]) -> dict[str, tuple[int | None, int | None]]:
    clocks: dict[str, list[int]] = {}
    for setting in (record.setting for record in records):
        seen = clocks.setdefault(setting.cluster, [])
        if setting.freq_khz is not None:
            seen.append(setting.freq_khz)
    return {name: (min(seen), max(seen)) if seen else (None, None) for name, seen in clocks.items()}


def _estimator_path(target: str) -> str:
    return f"predictors/{slug(target)}.skops"


def _summary_path(target: str) -> str:
    return f"predictors/{slug(target)}.json"
