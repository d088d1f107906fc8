"""Is our governor ever dearer than the stock ones: ``python -m tests.benchmarks.energy_truth``.

All figures are MODELLED: frames of three networks are replayed on the profiles' tables of power, at
latencies of the latency model, with a work that scatters by 2 and 5 % from frame to frame. Ours is the
runtime's own governor (``runtime.govern.governor``) with the policy that ``edgekit tune`` would give it;
beside it are schedutil on every cluster, EAS with schedutil, ``interactive``, and EBS apart. A governor is a
rival where at most half a point more of its frames are late. A cell is a SoC at a rate; it holds where no
rival of the kernel takes less under any network, scatter, source of bounds and account.

``over the bound`` is our busy energy over the least that the same frames can take, all known beforehand and
no change of clock counted, at our own late frames: see ``tests.benchmarks.simulation.optimum``. ``over the
blind one``: over the least that is possible for whoever knows how work scatters but no frame's
(``tests.benchmarks.simulation.blind``); near the top of a steep cluster that is most of the difference:
``blind_over_bound_pct`` is what nobody can avoid who does not see a frame's work.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from edgekit.cli._output import note
from runtime.device.soc import list_profiles
from runtime.errors import EdgekitError
from runtime.targets.virtual import VirtualTarget
from tests.benchmarks._profile import profile_of
from tests.benchmarks._table import rounded, show, write_report
from tests.benchmarks.energy_truth.cases import NETWORKS_TRIED, RATES, case_of
from tests.benchmarks.energy_truth.judge import rows_of, summary_of

COLUMNS = {
    "soc": "SoC",
    "fps": "FPS",
    "network": "network",
    "scatter_pct": "scatter, %",
    "bounds": "bounds",
    "account": "account",
    "late_pct": "late, %",
    "rival": "cheapest of the kernel",
    "above_pct": "above it, %",
    "above_ebs_pct": "above EBS, %",
    "over_bound_pct": "over the bound, %",
    "over_blind_pct": "over the blind one, %",
}


@click.command()
@click.option("--soc", "socs", multiple=True, help="Profile by name, or a .toml or .yaml file; repeatable.")
@click.option("--fps", "rates", multiple=True, type=click.FloatRange(1, 240), default=RATES,
              help="Rate; repeatable.")  # fmt: skip
@click.option("--frames", default=400, show_default=True, type=click.IntRange(10), help="That count.")
@click.option("--settle", default=100, show_default=True, type=click.IntRange(0), help="That do not.")
@click.option("--every", is_flag=True, help="Print every row, not the worst of each cell alone.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
def main(
    socs: tuple[str, ...],
    rates: tuple[float, ...],
    frames: int,
    settle: int,
    every: bool,
    json_path: Path | None,
) -> None:
    """Replay networks' frames under our governor and the stock ones, and print where ours takes more."""
    rows: list[dict[str, Any]] = []
    begin_s = time.perf_counter()
    for soc in socs or list_profiles():
        profile_of(soc)
        try:
            rows += _of_soc(soc, rates, frames, settle)
        except EdgekitError as err:
            if socs:
                raise click.ClickException(str(err)) from err
            note(f"{soc}: {err}")
        note(f"{soc}: done after {time.perf_counter() - begin_s:.0f} s")
    if not rows:
        raise click.ClickException("no setting of any SoC keeps any of the rates; give lower ones with --fps")
    summary = summary_of(rows)
    show(COLUMNS, [rounded(row) for row in (rows if every else _worst(rows))])
    note("modelled: frames replayed on tables of power and modelled latencies, not run on a device")
    for key, value in summary.items():
        note(f"{key}: {round(value, 2) if isinstance(value, float) else value}")
    write_report(json_path, "energy_truth", rows, summary)


def _of_soc(soc: str, rates: tuple[float, ...], frames: int, settle: int) -> list[dict[str, Any]]:
    target = VirtualTarget(soc)
    rows: list[dict[str, Any]] = []
    for network in NETWORKS_TRIED:
        case = case_of(target, network, rates)
        if case.left_out:
            rest = ", ".join(f"{load.fps:g} ({load.scatter:.0%})" for load in case.left_out)
            note(f"{soc}: no setting runs {case.network} at these FPS (scatter), left out: {rest}")
        if case.loads:
            rows += rows_of(case, frames, settle)
    return rows


def _worst(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the row of each cell that is the furthest above a rival."""
    found: dict[tuple[str, float], dict[str, Any]] = {}
    for row in rows:
        if row["tuned_for"] != row["account"]:
            continue
        key = row["soc"], row["fps"]
        if key not in found or _above(row) > _above(found[key]):
            found[key] = row
    return list(found.values())


def _above(row: dict[str, Any]) -> float:
    return -float("inf") if row["above_pct"] is None else row["above_pct"]


if __name__ == "__main__":
    main()
