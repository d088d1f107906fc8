"""How well an unseen network's latency is predicted: ``python -m tests.benchmarks.zoo_latency --folder DIR``.

Networks of the zoo in many widths and sizes (random weights, LiteRT, fp32) and graphs of kernels as
``edgekit fit --kernels`` draws them are exported and timed on one thread of this machine, in rounds that
visit all of them. Then each network is predicted from

* ``kernels``: the graphs of kernels alone, so that no network of any family was seen;
* ``families``: the networks of all other families, from totals alone: a sum of costs with a learnt rest.

A latency is that of the quietest round: other work on the machine can only make one slower. ``--folder``
keeps files and times, so that a benchmark that was interrupted goes on. About 25 minutes on two quiet
cores, of which exports take 10. On a busy machine export first, then time with priority: ``chrt -r 1``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from scipy.stats import spearmanr

from edgekit.cli._output import note
from edgekit.search.kernels.fit import choose_setting
from edgekit.search.kernels.sample import KernelSample
from predictors import AdditiveLatency
from runtime.bundle import Bundle
from runtime.choose.fitting.features import COST_NAMES, FEATURE_NAMES, features
from runtime.choose.fitting.kernels.learn import learn_kernels
from runtime.choose.fitting.kernels.predict import predict_workload
from runtime.choose.fitting.kernels.timing import KernelTimer, TimedGraph
from runtime.errors import NotFittedError
from runtime.targets import open_target
from tests.benchmarks._table import show, write_report
from tests.benchmarks._zoo import export_zoo, family_of, zoo

CLOSE_PCT = 10.0
COLUMNS = {
    "name": "network",
    "latency_ms": "measured, ms",
    "kernels_pct": "kernels, % off",
    "families_pct": "other families, % off",
    "scatter_pct": "rounds apart, %",
}


class Network(NamedTuple):
    """One network: its ops with their times, features of the whole, and how far its rounds are apart."""

    name: str
    timed: TimedGraph
    whole: np.ndarray
    scatter_pct: float


class Guess(NamedTuple):
    """A predicted latency in ms and the ends of its interval; NaN: refused."""

    latency_ms: float
    low_ms: float = np.nan
    high_ms: float = np.nan


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="Keeps what is finished.")
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--runs", type=click.IntRange(min=4), default=30, show_default=True, help="Frames per round.")
@click.option("--most", type=click.IntRange(min=200), default=2000, show_default=True, help="Kernels.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
def main(folder: Path, rounds: int, runs: int, most: int, json_path: Path | None) -> None:
    """Print how far off each network is predicted by kernels, and by other families."""
    folder.mkdir(parents=True, exist_ok=True)
    target = open_target("local")
    timer = KernelTimer(target, choose_setting(target, None, None, 1), runs, on_step=note, on_message=note)
    sample = KernelSample(folder / "kernels.edgekit", "litert", timer, most, 0, note, note)
    networks_bundle = export_zoo(folder / "zoo.edgekit", list(zoo()))
    sample.grow()
    for number in range(rounds):
        time_both(sample, networks_bundle, number)
    networks = read_networks(timer, networks_bundle)
    found = predict_all(sample, networks)
    rows = [
        {"name": network.name, "latency_ms": network.timed.latency_ms, "scatter_pct": network.scatter_pct}
        | {f"{key}_pct": off_pct(guesses[i], network) for key, guesses in found.items()}
        for i, network in enumerate(networks)
    ]
    show(COLUMNS, [{k: f"{v:.3g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows])
    _, fit = sample.learn()
    summary = summarise(networks, found) | {
        "kernels": float(fit.n_kernels),
        "kernels_timed_minutes": fit.timed_s / 60,
        "rounds_apart_pct": float(np.median([network.scatter_pct for network in networks])),
    }
    for key, value in summary.items():
        note(f"{key}: {value:.4g}")
    write_report(json_path, "zoo_latency", rows, summary)


def time_both(sample: KernelSample, networks: Bundle, number: int) -> None:
    """Time kernels and networks once each, in turn the ones or the others first: drift hits both alike."""
    names = [variant.name for variant in networks.manifest.variants]
    steps: list[Callable[[], None]] = [
        lambda: sample.time_round(number),
        lambda: sample.timer.time_round(networks, names, number),
    ]
    for step in steps if number % 2 == 0 else reversed(steps):
        step()


def read_networks(timer: KernelTimer, bundle: Bundle) -> list[Network]:
    """Return the networks that were timed."""
    found = []
    for variant in bundle.manifest.variants:
        times, workload = timer.kept(bundle, variant), bundle.workload(variant)
        assert workload is not None
        latencies_ms = [one.latency_ms for one in times.rounds]
        whole = features(workload, timer.target.profile, timer.setting, "fp32", "litert", with_costs=True)
        scatter_pct = 100 * (max(latencies_ms) / min(latencies_ms) - 1)
        found.append(Network(variant.name, times.quietest(workload), whole, scatter_pct))
    return found


def predict_all(sample: KernelSample, networks: Sequence[Network]) -> dict[str, list[Guess]]:
    """Return each network's guesses, by what they were learnt from."""
    fit, estimator, _ = learn_kernels(sample.timed(), sample.source(), {})
    return {
        "kernels": [by_op(fit, estimator, network) for network in networks],
        "families": [
            whole([n for n in networks if family_of(n.name) != family_of(network.name)], network)
            for network in networks
        ],
    }


def by_op(fit, estimator, network: Network) -> Guess:
    """Return the sum of the ops of ``network``, and its interval."""
    try:
        latency_ms, _, _ = predict_workload(fit, estimator, network.timed.workload)
    except NotFittedError as err:
        note(f"{network.name}: {err}")
        return Guess(np.nan)
    return Guess(latency_ms, latency_ms / fit.spread, latency_ms * fit.spread)


def whole(others: Sequence[Network], one: Network) -> Guess:
    """Return the latency of ``one`` from totals alone."""
    costs = tuple(range(len(FEATURE_NAMES), len(FEATURE_NAMES) + len(COST_NAMES)))
    model = AdditiveLatency(costs=costs, residuals=("linear", "svr", "gradient_boosting"))
    model.fit(np.stack([n.whole for n in others]), np.array([n.timed.latency_ms for n in others]))
    return Guess(float(model.predict([one.whole])[0]))


def off_pct(guess: Guess, network: Network) -> float:
    """Return how far a guess is off, in percent."""
    return 100 * (guess.latency_ms / network.timed.latency_ms - 1)


def summarise(networks: Sequence[Network], found: dict[str, list[Guess]]) -> dict[str, float]:
    """Return the figures that are reported; a refused network counts as one that is not within 10 %."""
    latency_ms = np.array([network.timed.latency_ms for network in networks])
    summary = {"networks": float(len(networks))}
    for name, guesses in found.items():
        guessed_ms, low_ms, high_ms = (np.array(column) for column in zip(*guesses, strict=True))
        error_pct = 100 * np.abs(guessed_ms / latency_ms - 1)
        answered = ~np.isnan(guessed_ms)
        summary[f"{name}_within_10pct_pct"] = 100 * float(np.mean(error_pct <= CLOSE_PCT))
        summary[f"{name}_mape_pct"] = float(np.mean(error_pct[answered]))
        summary[f"{name}_spearman"] = float(spearmanr(guessed_ms[answered], latency_ms[answered]).statistic)
        summary[f"{name}_refused"] = float(np.sum(~answered))
        if not np.isnan(low_ms).all():
            inside = (low_ms <= latency_ms) & (latency_ms <= high_ms)
            summary[f"{name}_coverage_pct"] = 100 * float(np.mean(inside[answered]))
    return summary


if __name__ == "__main__":
    main()
