"""Do intervals hold what they promise, and how wide are they: ``python -m tests.benchmarks.coverage``.

Whole groups are held out: networks that the predictor has seen at no clock. Their share whose every
latency lies inside the interval should be the nominal one. Of both kinds of interval and of the one that
``LatencyPredictor`` chooses, on

* ``modelled``: random networks on every SoC profile by the latency model, at a few clocks of each cluster;
* ``measured`` (with ``--csv`` and ``--column``): a table as ``latency_table`` reads it, each row a network.

Predictors answer beyond the range they have seen here (elsewhere they refuse): who lies outside is no
random choice, so leaving those out would not be fair.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from edgekit.cli._output import note
from predictors import LatencyPredictor
from runtime.choose.fitting.features import COST_NAMES, FEATURE_NAMES, features
from runtime.device.setting import Setting
from runtime.device.soc import SocProfile, list_profiles, load_profile, modelled_latency_ms
from tests.benchmarks._cells import cell_features
from tests.benchmarks._table import show, write_report
from tests.benchmarks.latency_table import read_table
from tests.networks import draw_workloads

NOMINAL = 0.9
NETWORKS, HELD_OUT = 90, 0.5
CLOCKS_PER_CLUSTER = 3
KINDS = {"split": False, "normalised": True, "chosen": None}
COLUMNS = {
    "source": "latencies",
    "kind": "interval",
    "draws": "draws",
    "coverage_pct": "groups inside, %",
    "error_pct": "+- (std. error)",
    "row_coverage_pct": "rows inside, %",
    "width_pct": "mean width, %",
    "normalised_pct": "normalised, %",
}


class Cases(NamedTuple):
    """Rows to learn from and to be held out: features, latencies, group of each, columns of costs."""

    source: str
    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    costs: tuple[int, ...]
    learnt_groups: int


@click.command()
@click.option("--csv", "csv_path", type=click.Path(path_type=Path, exists=True), help="Table of networks.")
@click.option("--column", help="Its column of latencies in ms.")
@click.option("--train", type=click.IntRange(min=50), default=300, show_default=True, help="Of its rows.")
@click.option("--seeds", type=click.IntRange(min=1), default=10, show_default=True, help="Draws of each.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
def main(csv_path: Path | None, column: str | None, train: int, seeds: int, json_path: Path | None) -> None:
    """Print coverage and mean width of every kind of interval."""
    if (csv_path is None) != (column is None):
        raise click.UsageError("--csv and --column go together")
    draws: dict[tuple[str, str], list[dict[str, float]]] = {}
    for cases in every_case(csv_path, column, train):
        for seed in range(seeds):
            for kind, normalized in KINDS.items():
                source = cases.source.split()[0]
                draws.setdefault((source, kind), []).append(draw(cases, normalized, seed))
        note(f"done: {cases.source}")
    rows = [{"source": source, "kind": kind, **mean(found)} for (source, kind), found in draws.items()]
    show(COLUMNS, [{k: f"{v:.1f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows])
    summary: dict[str, Any] = {"nominal_pct": 100 * NOMINAL}
    for row in rows:
        summary |= {f"{row['source']}_{row['kind']}_{key}": row[key] for key in ("coverage_pct", "width_pct")}
    write_report(json_path, "coverage", rows, summary)


def every_case(csv_path: Path | None, column: str | None, train: int) -> Iterator[Cases]:
    """Yield what intervals are tried on."""
    if csv_path is not None and column is not None:
        texts, latency_ms = read_table(csv_path, column)
        X, _ = cell_features(texts)
        few = np.random.default_rng(0).permutation(len(X))[: train + 1000]
        yield Cases(f"measured {column}", X[few], latency_ms[few], np.arange(len(few)), (), train)
    for number, name in enumerate(list_profiles()):
        profile = load_profile(name)
        settings = list(some_settings(profile))
        if not settings:
            continue
        X, y, groups = [], [], []
        for group, workload in enumerate(draw_workloads(NETWORKS, seed=number)):
            for setting in settings:
                X.append(features(workload, profile, setting, "fp32", "litert", with_costs=True))
                y.append(modelled_latency_ms(workload, profile, setting))
                groups.append(group)
        costs = tuple(range(len(FEATURE_NAMES), len(FEATURE_NAMES) + len(COST_NAMES)))
        learnt = NETWORKS - round(HELD_OUT * NETWORKS)
        yield Cases(f"modelled {name}", np.stack(X), np.array(y), np.array(groups), costs, learnt)


def some_settings(profile: SocProfile) -> Iterator[Setting]:
    """Yield the lowest, the highest and clocks between them of each cluster."""
    for cluster in profile.clusters:
        places = np.unique(np.linspace(0, len(cluster.opps) - 1, CLOCKS_PER_CLUSTER).astype(int))
        for place in places if cluster.opps else ():
            yield Setting(cluster.name, cluster.opps[place].freq_khz)


def draw(cases: Cases, normalized: bool | None, seed: int) -> dict[str, float]:
    """Learn from some groups, and return what share of the others lies inside, and the mean width."""
    order = np.random.default_rng(seed).permutation(np.unique(cases.groups))
    seen = np.isin(cases.groups, order[: cases.learnt_groups])
    predictor = LatencyPredictor(
        candidates=("linear", "gradient_boosting", *(("additive",) if cases.costs else ())),
        alpha=1 - NOMINAL,
        calibration=0.5,
        normalized=normalized,
        costs=cases.costs,
        on_extrapolate="warn",
        random_state=seed,
    ).fit(cases.X[seen], cases.y[seen], cases.groups[seen])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "extrapolating", UserWarning)
        low, high = predictor.predict_interval(cases.X[~seen]).T
    inside = (low <= cases.y[~seen]) & (cases.y[~seen] <= high)
    by_group = [inside[cases.groups[~seen] == group].all() for group in order[cases.learnt_groups :]]
    return {
        "coverage_pct": 100 * float(np.mean(by_group)),
        "row_coverage_pct": 100 * float(np.mean(inside)),
        "width_pct": 100 * float(np.mean((high - low) / np.sqrt(low * high))),
        "normalised_pct": 100 * float(predictor.normalized_),
    }


def mean(found: list[dict[str, float]]) -> dict[str, Any]:
    """Return the mean of each figure over the draws, and the standard error of the coverage."""
    spread = float(np.std([each["coverage_pct"] for each in found]) / np.sqrt(len(found)))
    means = {key: float(np.mean([each[key] for each in found])) for key in found[0]}
    return {"draws": len(found), "error_pct": spread, **means}


if __name__ == "__main__":
    main()
