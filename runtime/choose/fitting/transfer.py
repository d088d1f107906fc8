"""Transfer a predictor to another target by a few settings that are benched on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import numpy as np

from runtime.bundle import Bundle
from runtime.choose.fitting.features import COST_NAMES
from runtime.choose.fitting.result import FitResult, clocks_of
from runtime.choose.fitting.storage import load_fit, save_fit
from runtime.choose.fitting.usable import benched_options, features_of
from runtime.choose.policy.estimate import Option
from runtime.device.provenance import least_certain
from runtime.device.soc.span import most_threads
from runtime.errors import DataError
from runtime.extras import require
from runtime.measure.bench import bench
from runtime.measure.bench.run import OnMessage, Progress
from runtime.measure.records import RecordLog

if TYPE_CHECKING:
    from runtime.choose.fitting.storage import Predictor
    from runtime.targets import Target


def transfer_fit(
    bundle: Bundle,
    target: Target,
    source: str,
    *,
    log: RecordLog,
    samples: int | None = None,
    alpha: float = 0.1,
    seed: int = 0,
    include_unstable: bool = False,
    runs: int = 30,
    blocks: int = 3,
    progress: Progress | None = None,
    on_message: OnMessage = lambda text: None,
) -> tuple[Bundle, FitResult]:
    """Bench a few settings of ``target``, and correct the bundle's predictor for ``source`` by them.

    The settings are chosen by clustering all that the target offers: of each cluster the one nearest its
    centre and the one farthest from all other centres. What ``log`` has of them is not measured again.

    Args:
        source: name of a target that the bundle has a predictor for.
        log: of ``target``; takes the new records.
        samples: settings to bench, of all variants together; ``None`` lets BIC choose how many clusters.
        alpha: share of cases that may exceed the latency bound; it says how many samples are needed.
        runs, blocks, seed, on_message: of the bench; see ``runtime.measure.bench.bench``.

    Raises:
        NotFittedError: the bundle has no predictor for ``source``.
        ValueError: too few samples are asked for, or source and target are one.
        DataError: too few settings, or too few of them were stable.
    """
    require("sklearn", extra="predict")
    from predictors import TransferLatency
    from predictors.conformal import groups_needed

    if source == target.name:
        raise ValueError(
            f"the predictor is to be transferred from {source} to {target.name}; name two targets"
        )
    fit, predictor = load_fit(bundle, source)
    options = _options(target, fit)
    with_costs = fit.features[-1] == COST_NAMES[-1]
    pool = {o: features_of(bundle, target.profile, o.variant, o.setting, with_costs) for o in options}
    chosen = _choose(list(pool), np.stack(list(pool.values())), samples, groups_needed(alpha), seed)
    records = []
    for variant in dict.fromkeys(option.variant for option in chosen):
        settings = [option.setting for option in chosen if option.variant == variant]
        records += bench(
            bundle, target, settings=settings, variants=[variant], runs=runs, blocks=blocks, seed=seed,
            log=log, progress=progress, on_message=on_message, retries=1,
        )  # fmt: skip
    benched = benched_options(bundle, target, records)
    stable = {o: r for o, r in benched.items() if include_unstable or r.is_trusted}
    if len(stable) < groups_needed(alpha):
        raise DataError(
            f"{len(stable)} of {len(benched)} settings were stable on {target.name}, at least "
            f"{groups_needed(alpha)} are needed; bench on a quieter machine, or pass --include-unstable"
        )
    _answer_anywhere(predictor)
    X = np.stack([pool[option] for option in stable])
    y = np.array([record.latency_ms for record in stable.values()])
    transferred = TransferLatency(predictor, alpha=alpha).fit(X, y, pool=np.stack(list(pool.values())))

    scores = {name: 100.0 * float(np.expm1(score)) for name, score in transferred.scores_.items()}
    left_out = {"unstable": len(benched) - len(stable)} if len(stable) < len(benched) else {}
    result = FitResult(
        target=target.name,
        scores=scores,
        chosen=transferred.chosen_,
        holdout_mape_pct=scores[transferred.chosen_],
        interval_pct=100.0 * float(np.expm1(transferred.half_width_)),
        confidence=1.0 - alpha,
        n_records=len(records),
        n_groups=len(stable),
        grouped_by="setting",
        left_out=left_out,
        provenance=least_certain(record.provenance for record in stable.values()),
        variants=tuple(dict.fromkeys(option.variant for option in options)),
        clocks_khz=clocks_of(option.setting for option in options),
        threads=tuple(sorted({option.setting.threads for option in options})),
        features=fit.features,
        seed=seed,
        created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        interval="jackknife",
        interval_reason=f"equally wide everywhere: the errors of {len(stable)} samples by the others",
        models=fit.models,
        made_by="transfer",
        source=source,
    )
    return save_fit(bundle, result, transferred), result


def _options(target: Target, fit: FitResult) -> list[Option]:
    """Return everything the target offers to the variants and numbers of threads that the source knows."""
    threads = tuple(n for n in fit.threads if n <= most_threads(target.profile)) or (1,)
    return [Option(name, setting) for name in fit.variants for setting in target.settings(threads)]


def _choose(
    options: Sequence[Option], X: np.ndarray, samples: int | None, needed: int, seed: int
) -> list[Option]:
    """Return the options to bench: enough for an interval."""
    from predictors import choose_samples

    if samples is not None and samples < needed:
        raise ValueError(f"{samples} samples are asked for; the interval needs at least {needed}")
    if len(options) < needed:
        raise DataError(
            f"{len(options)} settings are offered, a predictor needs at least {needed} of them; "
            "skip fit: `edgekit tune` takes what was benched"
        )
    rows = choose_samples(X, n_clusters=samples and -(-samples // 2), random_state=seed)
    if samples is None and len(rows) < needed:
        rows = choose_samples(X, n_clusters=-(-needed // 2), random_state=seed)
    # Clusters of one row give one sample: what is missing is taken evenly from the rest.
    rest = np.setdiff1d(np.arange(len(options)), rows)
    missing = max(needed, samples or 0) - len(rows)
    if missing > 0:
        rows = np.union1d(rows, rest[np.linspace(0, len(rest) - 1, min(missing, len(rest))).astype(int)])
    return [options[row] for row in rows[: samples or None]]


def _answer_anywhere(predictor: Predictor) -> None:
    """Let a predictor answer beyond its range, where another device's clocks lie: the samples judge it."""
    inner = predictor
    while not hasattr(inner, "on_extrapolate"):
        inner = inner.predictor if hasattr(inner, "predictor") else inner.source
    inner.on_extrapolate = "warn"
