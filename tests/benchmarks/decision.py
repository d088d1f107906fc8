"""What a decision costs, up to the clock that was written: ``python -m tests.benchmarks.decision``.

In Python: a predictor is asked about every setting of a Pixel 6 (gs101) for a network it has not seen, the
cheapest that meets the deadline is taken, noted in the journal, written to cpufreq and read back; one row per
kind of regressor, and one for a tuned bundle, whose table needs no predictor. Compiled: the native governor's
own code, from a frame's latency to the clock that was written and read back. Both on a fake /sys in memory,
so a driver's own time to change a clock is not in it.

``--generators DIR`` adds what tree compilers would make of the predictor itself, for networks not known
when the code is compiled: ``pip install --target DIR --no-deps m2cgen emlearn tl2cgen treelite``. Needs a
C compiler.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import click
import numpy as np

from edgekit.cli._output import note
from predictors import LatencyPredictor
from predictors.candidates import candidate_names
from runtime.bundle.workload import OP_KINDS, Op, Workload
from runtime.choose.decision import DecisionTable
from runtime.choose.fitting.features import features
from runtime.choose.policy.estimate import Estimate
from runtime.device.actuators import CpuFreq, Journal
from runtime.device.setting import Setting
from runtime.device.soc import load_profile, modelled_latency_ms
from runtime.device.soc.tree import SocTree
from tests.benchmarks._compiled import measure_governor, measure_trees
from tests.benchmarks._table import show, write_report

PROFILE = load_profile("gs101")
SETTINGS = [Setting(c.name, opp.freq_khz) for c in PROFILE.clusters for opp in c.opps]
POWER_MW = [PROFILE.cluster(s.cluster).opp(s.freq_khz).power_mw for s in SETTINGS]
NETWORKS, DEADLINE_MS, WARMUP = 12, 33.3, 20
PYTHON = {
    "what": "Python",
    "predict_ms": "predict ms",
    "decide_ms": "decide ms",
    "apply_ms": "apply ms",
    "p50_ms": "all ms",
    "p99_ms": "p99 ms",
    "runs": "runs",
}
COMPILED = {
    "what": "compiled",
    "p50_us": "us",
    "p99_us": "p99 us",
    "runs": "runs",
    "code_bytes": "code, bytes",
}


@click.command()
@click.option("--runs", default=500, show_default=True, help="Decisions per row in Python.")
@click.option("--frames", default=50_000, show_default=True, help="Frames of the compiled governor.")
@click.option("--generators", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--seed", default=0, show_default=True, help="Seed of the networks.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
def main(runs: int, frames: int, generators: Path | None, seed: int, json_path: Path | None) -> None:
    """Time decisions in Python and compiled, and print median and 99th percentile."""
    warnings.simplefilter("ignore")  # a new network may lie outside the range of training
    rng = np.random.default_rng(seed)
    networks = [network(rng) for _ in range(NETWORKS)]
    X = np.concatenate([features_of(net) for net in networks])
    latency_ms = np.concatenate([modelled_ms(net) for net in networks])
    latency_ms = latency_ms * np.exp(0.02 * rng.standard_normal(len(latency_ms)))
    unseen = [features_of(network(rng)) for _ in range(runs + WARMUP)]
    fastest_first = modelled_table(networks[0])
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        machine = Machine(Path(folder))
        chosen = LatencyPredictor(on_extrapolate="warn").fit(X, latency_ms).chosen_
        rows = [python_row("tuned table", None, unseen, machine, fastest_first)]
        for name in candidate_names():
            predictor = LatencyPredictor(candidates=(name,), on_extrapolate="warn").fit(X, latency_ms)
            label = f"{name} (chosen here)" if name == chosen else name
            rows.append(python_row(label, predictor, unseen, machine, fastest_first))
        show(PYTHON, rows)
        cpus = {cluster.name: cluster.cpus for cluster in PROFILE.clusters}
        compiled = measure_governor(fastest_first, cpus, machine.tree, DEADLINE_MS, frames, Path(folder))
        if generators:
            compiled += measure_trees(generators, X, latency_ms, unseen, POWER_MW, DEADLINE_MS, Path(folder))
    note("")
    show(COMPILED, compiled)
    summary = {
        "python_ms_p99": next(row["p99_ms"] for row in rows if row["what"].endswith("(chosen here)")),
        "python_table_ms_p99": rows[0]["p99_ms"],
        "compiled_us_p99": next(row["p99_us"] for row in compiled if row["is_applied"]),
    }
    for key, value in summary.items():
        note(f"{key}: {value:.3g}")
    write_report(json_path, "decision", [*rows, *compiled], summary)


def network(rng: np.random.Generator) -> Workload:
    """Return a network of some ops of every kind, of 30 to 600 million multiply-accumulates."""
    macs = np.exp(rng.uniform(np.log(3e7), np.log(6e8))) * rng.dirichlet(np.ones(len(OP_KINDS)))
    sizes = [(int(m) + 1, int(m / rng.uniform(10, 40)) + 1000) for m in macs]
    return Workload(
        tuple(
            Op(f"op{i}", kind, m, n, n) for i, (kind, (m, n)) in enumerate(zip(OP_KINDS, sizes, strict=True))
        )
    )


def features_of(net: Workload) -> np.ndarray:
    """Return the features of a network at every setting, shape (n_settings, n_features)."""
    return np.stack([features(net, PROFILE, setting, "fp32", "litert") for setting in SETTINGS])


def modelled_ms(net: Workload) -> np.ndarray:
    """Return its modelled latency at every setting."""
    return np.array([modelled_latency_ms(net, PROFILE, setting) for setting in SETTINGS])


def modelled_table(net: Workload) -> DecisionTable:
    """Return the table that a policy for this network holds, scaled so that the deadline is in its middle."""
    times_ms = modelled_ms(net)
    times_ms *= DEADLINE_MS / np.median(times_ms)
    return table_of(times_ms, 1.1 * times_ms)


def table_of(latency_ms: np.ndarray, high_ms: np.ndarray) -> DecisionTable:
    """Return a table of every setting, the least energy first."""
    rows = [
        Estimate("litert-fp32", s, ms, ms, high, power_mw, ms * power_mw / 1e3)
        for s, ms, high, power_mw in zip(
            SETTINGS, latency_ms.tolist(), high_ms.tolist(), POWER_MW, strict=True
        )
    ]
    return DecisionTable(tuple(sorted(rows, key=lambda row: row.energy_mj)))


class Machine:
    """A fake /sys whose clocks follow at once, as a kernel's do, and the actuator that sets them."""

    def __init__(self, folder: Path):
        self.tree = SocTree(PROFILE, folder / "root")
        self.freq = CpuFreq(folder / "root", settle=self._follow, journal=Journal(folder / "journal"))
        self.policies = {c.name: self.freq.domain_of(c.cpus) for c in PROFILE.clusters}
        self._path, self._khz = Path(), 0

    def apply_ms(self, row: Estimate) -> float:
        """Return what it takes until the clock is noted, set and read back; gives it back after that."""
        policy = self.policies[row.setting.cluster]
        self._path, self._khz = policy.path / "scaling_cur_freq", row.setting.freq_khz
        begin_s = time.perf_counter()
        with self.freq.hold(policy, row.setting.freq_khz):
            taken_ms = 1e3 * (time.perf_counter() - begin_s)
        self.tree.settle()
        return taken_ms

    def _follow(self) -> None:
        self._path.write_text(f"{self._khz}\n")


def python_row(
    what: str,
    predictor: LatencyPredictor | None,
    unseen: list[np.ndarray],
    machine: Machine,
    tuned: DecisionTable,
) -> dict[str, Any]:
    """Return the median and the 99th percentile of decisions by ``predictor``; ``None`` takes ``tuned``."""
    rng = np.random.default_rng(0)
    steps = []
    for X in unseen:
        begin_s = time.perf_counter()
        table = tuned
        if predictor is not None:
            low_ms, high_ms = predictor.predict_interval(X).T  # the prediction is their geometric mean
        predicted_s = time.perf_counter()
        if predictor is not None:
            table = table_of(np.sqrt(low_ms * high_ms), high_ms)
        row = table.rows[table.decide(DEADLINE_MS, slowdown=rng.uniform(0.7, 1.4))]
        decided_s = time.perf_counter()
        apply_ms = machine.apply_ms(row)
        steps.append((1e3 * (predicted_s - begin_s), 1e3 * (decided_s - predicted_s), apply_ms))
    times = np.array(steps[WARMUP:])
    predict_ms, decide_ms, apply_ms = np.median(times, axis=0).tolist()
    return {
        "what": what,
        "predict_ms": predict_ms if predictor is not None else None,
        "decide_ms": decide_ms,
        "apply_ms": apply_ms,
        "p50_ms": float(np.median(times.sum(axis=1))),
        "p99_ms": float(np.percentile(times.sum(axis=1), 99)),
        "runs": len(times),
    }


if __name__ == "__main__":
    main()
