"""How well an unseen network's latency is predicted: ``python -m tests.benchmarks.zoo_latency --folder DIR``.

Networks of the zoo in many widths and sizes (random weights, LiteRT, fp32) are exported, benched and
profiled on one thread of this machine; then each is predicted by what was learnt from all others:

* ``by op``: what each of its ops takes, by op times of the others, summed by kind and scaled to whole
  frames as the others' are;
* ``whole``: from totals alone, a sum of costs with a learnt rest, which needs no profiler;
* ``by op, new family``: as the first, but all networks of the same family are left out, too.

A network's latency is the median of its quietest block: other work on the machine can only make one
slower. ``--folder`` keeps files, records and profiles, so that a benchmark that was interrupted goes on.
About 20 minutes on two quiet cores, of which exports take 7.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from scipy.stats import spearmanr

from edgekit.cli._output import note
from predictors import AdditiveLatency, OpLatency
from runtime.bundle.workload import OP_KINDS
from runtime.choose.fitting.features import COST_NAMES, FEATURE_NAMES, features
from runtime.choose.fitting.op_features import op_features, op_times_ms
from runtime.targets import open_target
from tests.benchmarks._table import show, write_report
from tests.benchmarks._zoo import bench_zoo, export_zoo, family_of, profile_zoo, setting_of, zoo

CLOSE_PCT = 10.0
COLUMNS = {
    "name": "network",
    "latency_ms": "measured, ms",
    "by_op_pct": "by op, % off",
    "whole_pct": "whole, % off",
    "new_family_pct": "by op, new family, % off",
    "scatter_pct": "blocks apart, %",
}


class Network(NamedTuple):
    """One network: features and measured times of its ops, of the whole, and its latency."""

    name: str
    ops: np.ndarray
    ops_ms: np.ndarray
    whole: np.ndarray
    latency_ms: float
    scatter_pct: float


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="Keeps what is finished.")
@click.option("--blocks", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--runs", type=click.IntRange(min=4), default=30, show_default=True, help="Frames per block.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
def main(folder: Path, blocks: int, runs: int, json_path: Path | None) -> None:
    """Print how far off each network is predicted by all others."""
    folder.mkdir(parents=True, exist_ok=True)
    networks = measure(folder, list(zoo()), blocks, runs)
    off = {
        "by_op_pct": leave_out(networks, by_op, same_name),
        "whole_pct": leave_out(networks, whole, same_name),
        "new_family_pct": leave_out(networks, by_op, same_family),
    }
    rows = [
        {"name": network.name, "latency_ms": network.latency_ms, "scatter_pct": network.scatter_pct}
        | {key: 100 * (found[place] / network.latency_ms - 1) for key, found in off.items()}
        for place, network in enumerate(networks)
    ]
    show(COLUMNS, [{k: f"{v:.3g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows])
    summary = summarise(networks, off)
    for key, value in summary.items():
        note(f"{key}: {value:.4g}")
    write_report(json_path, "zoo_latency", rows, summary)


def measure(folder: Path, names: list[str], blocks: int, runs: int) -> list[Network]:
    """Export, bench and profile what ``folder`` does not have yet."""
    bundles = export_zoo(folder, names)
    records = bench_zoo(bundles, folder, blocks, runs)
    profiles = profile_zoo(bundles, folder, runs=2 * runs)
    target = open_target("local")
    found = []
    for name, bundle in bundles.items():
        (variant,) = bundle.manifest.variants
        workload = bundle.workload(variant)
        assert workload is not None
        medians_ms = [record.latency_ms for record in records[name]]
        row = features(workload, target.profile, setting_of(target), "fp32", "litert", with_costs=True)
        found.append(
            Network(
                name, op_features(workload), op_times_ms(profiles[name], workload), row,
                min(medians_ms), 100 * (max(medians_ms) / min(medians_ms) - 1),
            )
        )  # fmt: skip
    return found


def leave_out(networks: list[Network], predict: Any, alike: Any) -> list[float]:
    """Return each network's latency in ms as ``predict`` tells it from those that are not ``alike`` to it."""
    return [predict([n for n in networks if not alike(n.name, one.name)], one) for one in networks]


def same_name(name: str, other: str) -> bool:
    return name == other


def same_family(name: str, other: str) -> bool:
    return family_of(name) == family_of(other)


def by_op(others: list[Network], one: Network) -> float:
    """Return the latency of ``one``: predicted ops, scaled as the sums of the others' measured ones are."""
    X, y = np.vstack([n.ops for n in others]), np.concatenate([n.ops_ms for n in others])
    groups = np.repeat(np.arange(len(others)), [len(n.ops) for n in others])
    ops = OpLatency(("svr",)).fit(X, y, groups)
    whole = AdditiveLatency(residuals=()).fit(
        np.stack([sums(n.ops, n.ops_ms) for n in others]), np.array([n.latency_ms for n in others])
    )
    return float(whole.predict([sums(one.ops, ops.predict(one.ops))])[0])


def sums(ops: np.ndarray, ops_ms: np.ndarray) -> np.ndarray:
    """Return time in ops with weights, time in others, the number of ops and 1: what a frame is made of."""
    weighted = np.isin(ops[:, 0], [OP_KINDS.index(kind) for kind in ("conv2d", "depthwise_conv2d", "linear")])
    return np.array([ops_ms[weighted].sum(), ops_ms[~weighted].sum(), len(ops), 1.0])


def whole(others: list[Network], one: Network) -> float:
    """Return the latency of ``one`` from totals alone."""
    costs = tuple(range(len(FEATURE_NAMES), len(FEATURE_NAMES) + len(COST_NAMES)))
    model = AdditiveLatency(costs=costs, residuals=("linear", "svr", "gradient_boosting"))
    model.fit(np.stack([n.whole for n in others]), np.array([n.latency_ms for n in others]))
    return float(model.predict([one.whole])[0])


def summarise(networks: list[Network], off: dict[str, list[float]]) -> dict[str, float]:
    """Return the figures that are reported."""
    latency_ms = np.array([network.latency_ms for network in networks])
    found = {"networks": float(len(networks))}
    for key, predicted in off.items():
        name = key.removesuffix("_pct")
        error_pct = 100 * np.abs(np.array(predicted) / latency_ms - 1)
        found[f"{name}_within_10pct_pct"] = 100 * float(np.mean(error_pct <= CLOSE_PCT))
        found[f"{name}_mape_pct"] = float(np.mean(error_pct))
        found[f"{name}_spearman"] = float(spearmanr(predicted, latency_ms).statistic)
    found["blocks_apart_pct"] = float(np.median([network.scatter_pct for network in networks]))
    return found


if __name__ == "__main__":
    main()
