"""How well latencies of networks are predicted from a few: ``python -m tests.benchmarks.latency_table``.

``--csv`` is a table with one network per row: ``arch``, a cell of NAS-Bench-201 as a string, and
``--column``, its measured latency in ms. ``--train`` networks are learnt from, all others predicted, for
several draws; the summary is their mean.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import click
import numpy as np
from scipy.stats import spearmanr

from edgekit.cli._output import note
from predictors import AdditiveLatency, choose_samples
from tests.benchmarks._cells import cell_features
from tests.benchmarks._table import show, write_report

CLOSE_PCT = 10.0
# What a call takes that does nothing (assumed): some cells do not use their input and fold away.
EMPTY_CALL_MS = 0.01

COLUMNS = {
    "seed": "seed",
    "spearman": "Spearman",
    "within_10pct_pct": "within 10 %, %",
    "mape_pct": "MAPE, %",
    "median_off_pct": "median off, %",
    "residual": "residual",
}


@click.command()
@click.option("--csv", "csv_path", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--column", required=True, help="Column of latencies in ms.")
@click.option(
    "--train", type=click.IntRange(min=2), default=50, show_default=True, help="Networks to learn from."
)
@click.option("--seeds", type=click.IntRange(min=1), default=10, show_default=True, help="Draws of them.")
@click.option(
    "--choose",
    type=click.Choice(["random", "clusters"]),
    default="random",
    show_default=True,
    help="Which networks are learnt from; clusters looks at their features alone.",
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
def main(csv_path: Path, column: str, train: int, seeds: int, choose: str, json_path: Path | None) -> None:
    """Predict a table from a few of its rows and print how close it comes."""
    texts, latency_ms = read_table(csv_path, column)
    if train >= len(texts):
        raise click.ClickException(f"--train is {train}; the table has {len(texts)} usable rows: leave some")
    try:
        X, names = cell_features(texts)
    except ValueError as err:
        raise click.ClickException(f"{csv_path}: {err}") from err
    rows = [score(X, latency_ms, draw(X, train, seed, choose), seed) for seed in range(seeds)]
    show(
        COLUMNS, [{key: f"{v:.3f}" if isinstance(v, float) else v for key, v in row.items()} for row in rows]
    )
    summary = {key: float(np.mean([row[key] for row in rows])) for key in list(COLUMNS)[1:5]}
    summary |= {f"{key}_worst": min(row[key] for row in rows) for key in ("spearman", "within_10pct_pct")}
    for key, value in summary.items():
        note(f"{key}: {value:.4g}")
    write_report(
        json_path, "latency_table", rows, summary | {"train": train, "choose": choose, "features": names}
    )


def read_table(path: Path, column: str) -> tuple[list[str], np.ndarray]:
    """Return the cells and their latencies; rows without a positive latency are left out and counted."""
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in ("arch", column) if name not in (reader.fieldnames or ())]
        if missing:
            raise click.ClickException(f"{path} has no column {missing[0]!r}; it has {reader.fieldnames}")
        rows = list(reader)
    latency_ms = np.array([_number(row[column]) for row in rows])
    usable = np.isfinite(latency_ms) & (latency_ms > 0)
    if not usable.all():
        note(f"{(~usable).sum()} rows without a positive {column} are left out")
    return [row["arch"] for row, good in zip(rows, usable, strict=True) if good], latency_ms[usable]


def draw(X: np.ndarray, train: int, seed: int, choose: str) -> np.ndarray:
    """Return ``train`` rows to learn from: at random, or two of each cluster and the rest at random."""
    order = np.random.default_rng(seed).permutation(len(X))
    if choose == "random":
        return order[:train]
    chosen = choose_samples(X, n_clusters=train // 2, random_state=seed)
    return np.concatenate([chosen, order[~np.isin(order, chosen)]])[:train]


def score(X: np.ndarray, latency_ms: np.ndarray, seen: np.ndarray, seed: int) -> dict[str, Any]:
    """Return how well the rest is predicted from the rows ``seen``."""
    rest = np.setdiff1d(np.arange(len(latency_ms)), seen)
    model = AdditiveLatency(least=EMPTY_CALL_MS, random_state=seed).fit(X[seen], latency_ms[seen])
    predicted = model.predict(X[rest])
    off_pct = 100 * np.abs(predicted / latency_ms[rest] - 1)
    return {
        "seed": seed,
        "spearman": float(spearmanr(predicted, latency_ms[rest]).statistic),
        "within_10pct_pct": float(100 * np.mean(off_pct <= CLOSE_PCT)),
        "mape_pct": float(off_pct.mean()),
        "median_off_pct": float(np.median(off_pct)),
        "residual": model.chosen_,
    }


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


if __name__ == "__main__":
    main()
