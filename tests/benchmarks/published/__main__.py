"""Hold modelled latencies against published ones: ``python -m tests.benchmarks.published``.

Each row of a table of measurements is modelled from its network's layers, the kind of core, the clock and the
threads. Rows that the model was fitted on are judged by a fit without their SoC; rows of another table
(``--csv``) that the fit does not know, by the model as it ships. ``--fit`` writes the model's file anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np

from edgekit.cli._output import note
from runtime.bundle import write_atomic
from runtime.device.soc.latency_model import LatencyFit, latency_fit
from runtime.device.soc.latency_terms import TFLITE, XNNPACK, corrected_ms
from tests.benchmarks._table import rounded, show, write_report
from tests.benchmarks.published.fit import Table, fit_latency, inputs_of
from tests.benchmarks.published.networks.catalogue import NETWORKS
from tests.benchmarks.published.rows import TABLE, PublishedRow, read_rows

CLOSE = 0.25
_MACS_APART = 0.1  # of the paper's: beyond, the network is named
COLUMNS = {
    "by": "by",
    "of": "",
    "rows": "rows",
    "median_ratio": "modelled / published",
    "low_ratio": "10 %",
    "high_ratio": "90 %",
    "within_25pct_pct": "within 25 %, %",
    "median_abs_err_pct": "median off, %",
    "interval_coverage_pct": "interval covers, %",
}
_BY: dict[str, Callable[[PublishedRow], str]] = {
    "precision": lambda row: row.precision,
    "engine": lambda row: row.engine,
    "core": lambda row: row.core,
    "threads": lambda row: str(row.setting.threads),
    "soc": lambda row: row.soc,
    "network": lambda row: row.network,
}


@click.command()
@click.option("--csv", "csv_path", type=click.Path(path_type=Path, exists=True), default=TABLE,
              help="Table of measurements; by default the one the model was fitted on.")  # fmt: skip
@click.option("--soc", multiple=True, help="Judge rows of these SoCs alone; may be repeated.")
@click.option("--fit", "fit_path", type=click.Path(path_type=Path), help="Where to write a fit to all rows.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
def main(csv_path: Path, soc: tuple[str, ...], fit_path: Path | None, json_path: Path | None) -> None:
    """Print by how much modelled latencies are off."""
    rows, left_out = read_rows(csv_path)
    fitted, _ = read_rows(TABLE)
    table = Table(rows if fit_path else fitted)
    fit, unseen_ms = fit_latency(table)
    if fit_path:
        write_atomic(fit_path.resolve(), msgspec.json.format(msgspec.json.encode(fit), indent=1) + b"\n")
        note(f"written: {fit_path}")
    held_out = dict(zip((row.key for row in table.rows), unseen_ms, strict=True))
    rows = [row for row in rows if not soc or row.soc in soc]
    if not rows:
        raise click.ClickException(f"no row of {', '.join(soc)} in {csv_path}")
    shipped = fit if fit_path else latency_fit()
    judged = [_judged(row, held_out.get(row.key), shipped) for row in rows]
    lines = [_line(by, of, chosen) for by, of, chosen in _groups(rows, judged)]
    show(COLUMNS, [rounded(line) for line in lines])
    _say_what_is_not_judged(left_out, sum(row.key in held_out for row in rows), len(rows))
    write_report(json_path, "published", lines, _summary(lines, left_out))


def _judged(row: PublishedRow, unseen_ms: float | None, fit: LatencyFit) -> tuple[float, bool]:
    """Return modelled over published latency, and whether the stated interval holds the published one."""
    is_checked = unseen_ms is None and f"soc_{row.soc}" in fit.coefficients
    modelled_ms = corrected_ms(*inputs_of(row), fit.coefficients) if unseen_ms is None else unseen_ms
    low, high = (fit.seen_low, fit.seen_high) if is_checked else (fit.low, fit.high)
    return modelled_ms / row.latency_ms, low <= row.latency_ms / modelled_ms <= high


def _groups(
    rows: Sequence[PublishedRow], judged: Sequence[tuple[float, bool]]
) -> list[tuple[str, str, list[tuple[float, bool]]]]:
    pairs = list(zip(rows, judged, strict=True))
    groups = [
        ("all", "fp32 + int8", [j for row, j in pairs if row.precision != "fp16"]),
        ("all", "XNNPACK + TFLite", [j for row, j in pairs if row.family in (XNNPACK, TFLITE)]),
        ("all", "with fp16", list(judged)),
    ]
    for by, of in _BY.items():
        names = sorted(
            {of(row) for row in rows}, key=lambda name: (len(name) if by == "threads" else 0, name)
        )
        groups += [(by, name, [j for row, j in pairs if of(row) == name]) for name in names]
    return [group for group in groups if group[2]]


def _line(by: str, of: str, judged: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    ratios = np.array([ratio for ratio, _ in judged])
    return {
        "by": by,
        "of": of,
        "rows": len(ratios),
        "median_ratio": round(float(np.median(ratios)), 3),
        "low_ratio": round(float(np.quantile(ratios, 0.1)), 3),
        "high_ratio": round(float(np.quantile(ratios, 0.9)), 3),
        "within_25pct_pct": 100 * float(np.mean(np.abs(ratios - 1) <= CLOSE)),
        "median_abs_err_pct": 100 * float(np.median(np.abs(ratios - 1))),
        "interval_coverage_pct": 100 * float(np.mean([is_inside for _, is_inside in judged])),
    }


def _summary(lines: Sequence[dict[str, Any]], left_out: dict[str, int]) -> dict[str, Any]:
    def figures(line: dict[str, Any]) -> dict[str, Any]:
        return {key: line[key] for key in COLUMNS if key.endswith("_pct") or key in ("rows", "median_ratio")}

    whole = figures(lines[0])
    for by in ("engine", "precision", "soc"):
        whole[by] = {line["of"]: figures(line) for line in lines if line["by"] == by}
    whole["xnnpack"] = next((figures(line) for line in lines if line["of"] == "XNNPACK + TFLite"), None)
    whole["left_out"] = dict(left_out)
    return whole


def _say_what_is_not_judged(left_out: dict[str, int], held_out: int, rows: int) -> None:
    note(f"{held_out} of {rows} rows are judged by a fit without their SoC, the others by the model as it is")
    if left_out:
        named = "; ".join(f"{reason} ({count})" for reason, count in sorted(left_out.items()))
        note(f"{sum(left_out.values())} rows left out: {named}")
    apart = [name for name, net in NETWORKS.items() if abs(net.macs_apart) > _MACS_APART]
    if apart:
        note(f"multiply-accumulates more than 10 % from what the authors state: {', '.join(apart)}")


if __name__ == "__main__":
    main()
