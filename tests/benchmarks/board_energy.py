"""Modelled energy beside a board's: ``python -m tests.benchmarks.board_energy``.

An RK3399 board was measured at its supply under inference of four networks, at every clock of both
clusters (Ehsan-aghapour/LW-GA, ``published/energy.csv``). Beside each row stands what edgekit says of the
same network on the profile ``rk3399``: modelled latency times the account's power. Energies are net of the
idle board. The profile's powers are the mean of these four networks, so what is tested is whether one power
and a modelled latency find each network's best clock, and the ratio of the clusters.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click

from edgekit.cli._output import note
from runtime.device.setting import Setting
from runtime.device.soc import load_profile, modelled_latency_ms, power_mw
from runtime.device.soc.account import work_mj
from tests.benchmarks._table import rounded, show, write_report
from tests.benchmarks.published.networks.catalogue import NETWORKS

TABLE = Path(__file__).parent / "published" / "energy.csv"
SOC = "rk3399"
COLUMNS = {
    "network": "network",
    "cluster": "cluster",
    "threads": "threads",
    "best_mhz": "best clock, MHz",
    "our_best_mhz": "ours",
    "steps": "steps apart",
    "dearer_pct": "dearer there by, %",
    "net_mj": "net there, mJ",
    "our_mj": "ours, mJ",
    "big_over_little": "big / little",
    "our_big_over_little": "ours",
}


@dataclass(frozen=True)
class BoardRow:
    """One network at one setting: net energy of a frame there, and as edgekit says it, in mJ."""

    network: str
    setting: Setting
    net_mj: float
    our_mj: float


@click.command()
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
def main(json_path: Path | None) -> None:
    """Print each network's best clocks and the clusters' ratio, on the board and as edgekit says."""
    rows = figures_of(read_rows())
    show(COLUMNS, [rounded(row) for row in rows])
    summary = summary_of(rows)
    for key, value in summary.items():
        note(f"{key}: {round(value, 2)}")
    write_report(json_path, "board_energy", rows, summary)


def read_rows(path: Path = TABLE) -> list[BoardRow]:
    """Return the rows of the table, with ours beside them."""
    profile = load_profile(SOC)
    rows = []
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            setting = Setting(row["cluster"], 1000 * int(row["clock_mhz"]), int(row["threads"]))
            workload = NETWORKS[row["network"]].build(int(row["input"])).workload()
            latency_ms = modelled_latency_ms(workload, profile, setting, row["precision"])
            busy_mw = power_mw(profile.cluster(setting.cluster), setting.freq_khz, setting.threads).power_mw
            net_mj, our_mj = float(row["energy_net_mj"]), work_mj(busy_mw, latency_ms)
            rows.append(BoardRow(row["network"], setting, net_mj, our_mj))
    return rows


def figures_of(rows: list[BoardRow]) -> list[dict[str, Any]]:
    """Return a row per network and cluster: the best clock there and ours, and both energies at it."""
    profile, found = load_profile(SOC), []
    for network in dict.fromkeys(row.network for row in rows):
        best: dict[str, tuple[BoardRow, BoardRow]] = {}
        for cluster in ("little", "big"):
            mine = [row for row in rows if (row.network, row.setting.cluster) == (network, cluster)]
            best[cluster] = min(mine, key=lambda row: row.net_mj), min(mine, key=lambda row: row.our_mj)
        for cluster, (there, ours) in best.items():
            clocks = [opp.freq_khz for opp in profile.cluster(cluster).opps]
            steps = clocks.index(ours.setting.freq_khz) - clocks.index(there.setting.freq_khz)
            is_big = cluster == "big"
            found.append(
                {
                    "network": network,
                    "cluster": cluster,
                    "threads": there.setting.threads,
                    "best_mhz": there.setting.freq_khz / 1000,
                    "our_best_mhz": ours.setting.freq_khz / 1000,
                    "steps": steps,
                    "dearer_pct": 100 * (ours.net_mj / there.net_mj - 1),
                    "net_mj": there.net_mj,
                    "our_mj": there.our_mj,
                    "big_over_little": there.net_mj / best["little"][0].net_mj if is_big else None,
                    "our_big_over_little": ours.our_mj / best["little"][1].our_mj if is_big else None,
                }
            )
    return found


def summary_of(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return how often the best clock is within a step, and by which factor the clusters' ratio is off."""
    pairs = [(row["big_over_little"], row["our_big_over_little"]) for row in rows if row["big_over_little"]]
    off = [max(ours / there, there / ours) for there, ours in pairs]
    return {
        "rows": len(rows),
        "within_one_step_pct": 100 * sum(abs(row["steps"]) <= 1 for row in rows) / len(rows),
        "median_big_over_little": median(there for there, _ in pairs),
        "our_median_big_over_little": median(ours for _, ours in pairs),
        "median_ratio_off": median(off),
        "worst_ratio_off": max(off),
    }


if __name__ == "__main__":
    main()
