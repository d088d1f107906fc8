"""Whether ``stable`` can be believed: ``python -m tests.benchmarks.honesty``.

The same bundle is benched twice, many times over, each time under another background load that
starts and stops at random. Where both benches call themselves stable, their medians should agree
within 5 %; where a load did harm, a bench should have said so.
"""

from __future__ import annotations

import os
import random
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from edgekit.cli._output import note
from runtime.bundle import Bundle
from runtime.engines.model_file import open_bundle_or_model
from runtime.measure.bench import BenchRow, bench, choose_variants, summarise
from runtime.measure.records import RecordLog
from runtime.targets import Target, choose_settings, open_target
from tests.benchmarks._load import background, draw_loads
from tests.benchmarks._table import show, write_report

LIMIT_SHARE = 0.05
COLUMNS = {
    "pair": "pair", "a_load": "load of A", "b_load": "load of B", "a_ms": "A ms", "b_ms": "B ms",
    "differ_pct": "differ, %", "a_verdict": "A", "b_verdict": "B", "why": "why unstable",
}  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two benches of the same."""

    pair: int
    a_load: str
    b_load: str
    a_ms: float
    b_ms: float
    differ_pct: float
    a_verdict: str
    b_verdict: str
    why: str


@click.command()
@click.option("--bundle", type=click.Path(path_type=Path), help="Default: a convolution made on the spot.")
@click.option("--variant", help="Default: the bundle's first.")
@click.option("--target", default="local", show_default=True)
@click.option("--cluster", "clusters", multiple=True)
@click.option("--pairs", type=click.IntRange(min=1), default=20, show_default=True)
@click.option(
    "--quiet", is_flag=True, help="Without any load of our own: how often is a quiet machine stable?"
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--runs", type=click.IntRange(min=1), default=30, show_default=True)
@click.option("--blocks", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--retries", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
def main(bundle, variant, target, clusters, pairs, quiet, seed, json_path, **plan) -> None:
    """Bench the same bundle in pairs under random load and compare what both say."""
    with tempfile.TemporaryDirectory() as folder:
        model = open_bundle_or_model(bundle or _make_model(Path(folder)))
        where = open_target(target)
        plan |= {
            "variants": choose_variants(model, names=[variant] if variant else [])[:1],
            "settings": choose_settings(where, clusters=clusters)[-1:],
        }
        found = []
        for number in range(pairs):
            sides = [
                _bench_once(model, where, Path(folder), f"{seed}/{number}/{side}", quiet, plan)
                for side in "ab"
            ]
            found.append(_pair(number, *sides))
            last = found[-1]
            note(f"{number + 1}/{pairs} {last.differ_pct:.1f} % {last.a_verdict} {last.b_verdict}")
    rows = [asdict(pair) for pair in found]
    show(COLUMNS, rows)
    summary = summarise_pairs(found)
    note("; ".join(f"{key}: {value}" for key, value in summary.items()))
    write_report(json_path, "honesty", rows, summary | {"quiet": quiet, "seed": seed})


def summarise_pairs(pairs: list[Pair]) -> dict[str, Any]:
    """Return what the claim stands on: how many pairs both called stable, and how many of those agree."""
    stable = [pair for pair in pairs if pair.a_verdict == pair.b_verdict == "stable"]
    agree = [pair for pair in stable if pair.differ_pct < 100 * LIMIT_SHARE]
    others = [pair for pair in pairs if pair not in stable]
    verdicts = [(pair.a_load, pair.a_verdict) for pair in pairs] + [
        (pair.b_load, pair.b_verdict) for pair in pairs
    ]
    quiet = [verdict for load, verdict in verdicts if load == "none"]
    return {
        "pairs": len(pairs),
        "stable_pairs": len(stable),
        "stable_within_5pct_pct": 100 * len(agree) / len(stable) if stable else None,
        "worst_stable_pct": max((pair.differ_pct for pair in stable), default=None),
        "other_pairs": len(others),
        "other_within_5pct_pct": (
            100 * sum(pair.differ_pct < 100 * LIMIT_SHARE for pair in others) / len(others)
            if others
            else None
        ),
        "worst_other_pct": max((pair.differ_pct for pair in others), default=None),
        "benches": len(verdicts),
        "unstable_benches": sum(verdict == "unstable" for _, verdict in verdicts),
        "quiet_benches": len(quiet),
        "quiet_stable": sum(verdict == "stable" for verdict in quiet),
    }


def _bench_once(
    model: Bundle, target: Target, folder: Path, seed: str, quiet: bool, plan: dict[str, Any]
) -> tuple[str, BenchRow]:
    rng = random.Random(seed)
    loads = [] if quiet else draw_loads(rng, os.cpu_count() or 1)
    log = RecordLog(folder / f"{seed.replace('/', '-')}.jsonl")
    with background(loads, seed):
        [row] = summarise(bench(model, target, log=log, **plan))
    return " + ".join(map(str, loads)) or "none", row


def _pair(number: int, a: tuple[str, BenchRow], b: tuple[str, BenchRow]) -> Pair:
    (a_load, a_row), (b_load, b_row) = a, b
    reasons = [row.reasons[0] for row in (a_row, b_row) if row.verdict == "unstable"]
    low_ms, high_ms = sorted((a_row.latency_ms, b_row.latency_ms))
    differ_pct = 100 * (high_ms / low_ms - 1)
    return Pair(
        number, a_load, b_load, a_row.latency_ms, b_row.latency_ms, differ_pct, a_row.verdict, b_row.verdict,
        reasons[0] if reasons else "",
    )  # fmt: skip


def _make_model(folder: Path) -> Path:
    from tests.runtime.tflite_builder import write_doubling_conv

    return write_doubling_conv(folder / "conv.tflite", side=112, channels=64)


if __name__ == "__main__":
    main()
