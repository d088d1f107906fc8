"""What pruning methods are worth: ``python -m tests.benchmarks.compression --data-root FOLDER``.

ResNet-20 on CIFAR-10 at 16 pixels, 5,000 training images, all 10,000 test images, channels in multiples
of 4: three dense networks of 30 epochs, and rows that prune all three to 25 % of the MACs (some to 50 %)
and train 20 epochs: 15 with the method and 5 after the removal, or 20 after it. Rows that begin with
random weights (``thin``, ``from-scratch``) are trained 50 epochs, as many as a dense network and a row.
``dense`` is trained on for 20; ``one-shot-trained`` trains 15 epochs before its one cut.

``removed`` is top-1 right after the removal, ``BN`` the same with batch norm's statistics estimated anew,
``end`` at the end. A row is compared with ``one-shot`` at the same budget, seed by seed: mean difference
and 95 % interval; better or worse only where the interval excludes 0. ``--runs`` keeps every finished job:
run it again to go on. ``--quick``: 2,000 images, few epochs, one seed, no verdicts. ``--network
mobilenet_v2``: four rows at 25 % of one of half the width; give it a ``--runs`` of its own.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from edgekit.cli._output import note
from edgekit.sweep import SweepJob, SweepPlan, run_sweep
from edgekit.sweep.jobs import JobResult, stored_result
from edgekit.sweep.run import Outcomes, folder_of, run_here
from edgekit.sweep.table import interval, verdict
from tests.benchmarks._compression_plan import (
    FROM_RANDOM,
    FULL,
    NETWORKS,
    ONE_SHOT,
    QUICK,
    TRAINED,
    name_of,
    plan_rows,
    row_names,
    train_dense,
)
from tests.benchmarks._pruned_files import measure_files
from tests.benchmarks._table import show, write_report

COLUMNS = {
    "row": "row",
    "seeds": "seeds",
    "removed": "removed",
    "reestimated": "BN",
    "end": "end",
    "sd": "sd",
    "difference": "to one-shot",
    "verdict": "verdict",
    "macs": "MACs",
    "params": "params",
    "cpu_min": "CPU min",
}
FILES = {
    f"{figure}_{engine}": f"{figure} {engine}"
    for engine in ("executorch", "litert")
    for figure in ("kb", "ms")
}
MUST_EXCEED = {25: 6.0, 50: 3.0}  # points above one-shot after extra training, right after the removal
_FAR_BELOW = 2.0  # points below one-shot at the end: such a row is named


class Results:
    """Figures of finished jobs, by row and seed."""

    def __init__(self, plan: SweepPlan):
        found = {(job.row["variant"], job.seed): stored_result(folder_of(plan, job)) for job in plan.jobs()}
        self.done: dict[tuple[str, int], JobResult] = {key: r for key, r in found.items() if r is not None}
        self.checkpoints = {
            job.row["variant"]: folder_of(plan, job) / "run"
            for job in plan.jobs()
            if job.seed == plan.seeds[0] and (job.row["variant"], job.seed) in self.done
        }
        self.rows = [name for name in plan.variants if any(row == name for row, _ in self.done)]

    def of(self, row: str, figure: str) -> dict[int, float]:
        """Return a figure by seed, of the jobs that have it."""
        results = {seed: r for (name, seed), r in self.done.items() if name == row}
        return {seed: r.figures[figure] for seed, r in results.items() if figure in r.figures}

    def mean(self, row: str, figure: str) -> float | None:
        values = list(self.of(row, figure).values())
        return statistics.mean(values) if values else None

    def differences(self, row: str, other: str, figure: str = "test_top1") -> list[float]:
        """Return the differences to another row in points, of the seeds that both have."""
        own, others = self.of(row, figure), self.of(other, figure)
        return [100 * (own[seed] - others[seed]) for seed in own if seed in others]


def tabulate(
    results: Results, dense: Mapping[int, JobResult], files: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the rows of the table; accuracies in percent."""
    whole = next(iter(dense.values())).figures
    rows = []
    for name in results.rows:
        method, _, share = name.partition("@")
        accuracies = {figure: results.mean(name, figure) for figure in ("removed_top1", "reestimated_top1")}
        if method in FROM_RANDOM:
            accuracies = dict.fromkeys(accuracies)  # of random weights
        ends = list(results.of(name, "test_top1").values())
        pairs = results.differences(name, f"{ONE_SHOT}@{share or 25}") if method != ONE_SHOT else []
        half_width = interval(pairs)
        cpu_s = [result.cpu_s for (row, _), result in results.done.items() if row == name]
        rows.append(
            {
                "row": name,
                "seeds": len(ends),
                "removed": _percent(accuracies["removed_top1"]),
                "reestimated": _percent(accuracies["reestimated_top1"]),
                "end": _percent(statistics.mean(ends)),
                "sd": round(100 * statistics.stdev(ends), 1) if len(ends) > 1 else None,
                "difference_points": statistics.mean(pairs) if pairs else None,
                "half_width_points": half_width,
                "verdict": None if half_width is None else verdict(statistics.mean(pairs), half_width),
                "mac_ratio": round(results.mean(name, "macs") / whole["macs"], 3),
                "params": round(results.mean(name, "params")),
                "cpu_min": round(statistics.mean(cpu_s) / 60, 2),
                **files.get(name, {}),
            }
        )
    return rows


def must_hold(results: Results) -> list[dict[str, Any]]:
    """Return how far IncReg and SPP are above one-shot after extra training, right after the removal."""
    found = []
    for share, least in MUST_EXCEED.items():
        for method in ("increg", "spp"):
            names = name_of(method, share), name_of(TRAINED, share)
            points = results.differences(*names, "reestimated_top1")
            if points:
                above = round(statistics.mean(points), 1)
                found.append({"row": names[0], "points": above, "least": least, "holds": above >= least})
    return found


def summarise(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return, by row, what other programs read."""
    return {
        row["row"]: {
            "accuracy_mean": row["end"],
            "accuracy_std": row["sd"],
            "mac_ratio": row["mac_ratio"],
            "beats_one_shot": row["verdict"] == "better",
        }
        for row in rows
    }


def printed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``row`` as the table shows it."""
    difference, half_width = row["difference_points"], row["half_width_points"]
    text = "" if difference is None else f"{difference:+.1f}"
    text += "" if half_width is None else f" +- {half_width:.1f}"
    values = {key: None if row.get(key) is None else f"{row[key]:.3g}" for key in FILES}
    own = {key: row.get(key) for key in COLUMNS}
    return {**own, **values, "difference": text or None, "macs": f"{row['mac_ratio']:.1%}"}


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


@click.command(help=__doc__)
@click.option("--network", type=click.Choice(list(NETWORKS)), default="resnet20", show_default=True)
@click.option("--data-root", required=True, help="CIFAR-10: see load_cifar10.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs/compression"), show_default=True)
@click.option("--rows", "chosen", multiple=True, help="increg, spp@50, dense, ...; repeatable; default: all.")
@click.option("--quick", is_flag=True)
@click.option("--show", "only_show", is_flag=True, help="Train nothing; print what is finished.")
@click.option("--workers", type=int, default=1, show_default=True, help="Jobs at a time, on Ray if several.")
@click.option("--no-files", is_flag=True, help="Without size and latency of the exported files.")
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(network, data_root, runs, chosen, quick, only_show, workers, no_files, json_path) -> None:
    size = replace(QUICK if quick else FULL, network=network)
    names = [n for n in row_names(network) if not chosen or n in chosen or n.partition("@")[0] in chosen]
    dense = train_dense(size, runs, data_root)
    note(f"dense: {[_percent(result.figures['test_top1']) for result in dense.values()]} %")
    plan = plan_rows(size, runs, data_root, names, workers)
    if not only_show:
        execute = _seed_by_seed if workers == 1 else None
        run_sweep(
            plan, execute, progress=lambda job, result: note(_told(job.row["variant"], job.seed, result))
        )
    results = Results(plan)
    files = {} if no_files else measure_files(results.checkpoints, runs / "files", data_root)
    rows = tabulate(results, dense, files)
    show({**COLUMNS, **({} if no_files else FILES)}, [printed(row) for row in rows])
    held = must_hold(results)
    for one in held:
        note("{row}: {points:+.1f} points to one-shot-trained, at least {least:+.1f} are asked".format(**one))
    for row in rows:
        if (row["difference_points"] or 0) < -_FAR_BELOW:
            note(f"{row['row']} is more than {_FAR_BELOW} points below one-shot at the end")
    write_report(json_path, "compression", rows, {**summarise(rows), "must_hold": held})


def _seed_by_seed(plan: SweepPlan, jobs: Sequence[SweepJob]) -> Outcomes:
    """Run jobs here, all rows with a seed before the next one: what is stopped early still compares rows."""
    return run_here(plan, sorted(jobs, key=lambda job: job.seed))


def _told(row: str, seed: int, result: JobResult) -> str:
    if result.error:
        return f"{row}, seed {seed}: {result.error}"
    figures = {name: _percent(value) for name, value in result.figures.items() if name.endswith("top1")}
    return f"{row}, seed {seed}: {figures}, {result.cpu_s:.0f} s"


if __name__ == "__main__":
    main()
