"""How far a power model is off at a clock it has not seen: ``python -m tests.benchmarks.power_model``.

Each clock of each cluster is left out in turn and filled in from the cluster's others, by the rule of
``runtime.device.soc.unmeasured``, in every profile that comes with edgekit, or in those given: ``--soc
FILE.yaml`` (again and again), or a folder of ``*_measured.yaml`` tables as the argument. Beside it, on the
rows where the device tree gives voltage and coefficient, the kernel's stock model C f V^2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from edgekit.cli._output import note
from runtime.device.soc import Cluster, SocProfile, list_profiles
from runtime.device.soc.unmeasured import fill
from tests.benchmarks._profile import profile_of
from tests.benchmarks._table import rounded, show, write_report

LEAST_ROWS = 3  # one left out, two to learn from

COLUMNS = {
    "soc": "SoC",
    "cluster": "cluster",
    "rows": "clocks",
    "left_out": "left out",
    "mape_pct": "MAPE, %",
    "worst_pct": "worst, %",
    "kernel_mape_pct": "kernel's, %",
}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@click.option("--soc", "socs", multiple=True, help="Profile by name, or a .toml or .yaml file.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
def main(folder: Path | None, socs: tuple[str, ...], json_path: Path | None) -> None:
    """Leave one clock out and print the error of the model and of the kernel's."""
    names = [*socs, *(map(str, sorted(folder.glob("*_measured.yaml"))) if folder else ())] or list_profiles()
    rows = []
    for name in names:
        profile = profile_of(name)
        for row in profile.left_out:
            note(f"{profile.name}: left out {row.cluster} {row.freq_khz / 1000:g} MHz: {row.reason}")
        rows += rows_of(Path(name).stem, profile)
    if not rows:
        raise click.ClickException(f"no cluster of {', '.join(names)} has {LEAST_ROWS} measured clocks")
    show(COLUMNS, [rounded(row) for row in rows])
    summary = summary_of(rows)
    for key, value in summary.items():
        note(f"{key}: {value if value is None or isinstance(value, dict) else round(value, 2)}")
    write_report(json_path, "power_model", rows, summary)


def rows_of(name: str, profile: SocProfile) -> list[dict[str, Any]]:
    """Return one row per cluster with enough measured clocks."""
    rows = []
    for cluster in profile.clusters:
        power_mw = {opp.freq_khz: opp.power_mw for opp in cluster.opps if opp.power_mw}
        if len(power_mw) < LEAST_ROWS:
            continue
        off_pct = leave_one_out_pct(power_mw)
        kernel_pct = kernel_off_pct(cluster)
        rows.append(
            {
                "soc": name,
                "cluster": cluster.name,
                "rows": len(power_mw),
                "left_out": sum(row.cluster == cluster.name for row in profile.left_out),
                "mape_pct": float(off_pct.mean()),
                "worst_pct": float(off_pct.max()),
                "kernel_rows": len(kernel_pct),
                "kernel_mape_pct": float(np.mean(kernel_pct)) if kernel_pct else None,
            }
        )
    return rows


def leave_one_out_pct(power_mw: dict[int, float]) -> np.ndarray:
    """Return the absolute error of each clock in percent, filled in from the others."""
    filled = [
        fill({other: mw for other, mw in power_mw.items() if other != khz}, khz).power_mw for khz in power_mw
    ]
    return 100 * np.abs(np.array(filled) / list(power_mw.values()) - 1)


def kernel_off_pct(cluster: Cluster) -> list[float]:
    """Return the error of C f V^2 with the device tree's C, of each row that has all three."""
    if cluster.power_coefficient is None:
        return []
    return [
        100
        * abs(cluster.power_coefficient * opp.freq_khz / 1e6 * (opp.voltage_uv / 1e6) ** 2 / opp.power_mw - 1)
        for opp in cluster.opps
        if opp.voltage_uv and opp.power_mw
    ]


def summary_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median over SoCs, each SoC the mean of its rows."""
    socs = list(dict.fromkeys(row["soc"] for row in rows))
    ours, kernel = {}, {}
    for soc in socs:
        mine = [row for row in rows if row["soc"] == soc]
        ours[soc] = float(
            np.average([row["mape_pct"] for row in mine], weights=[row["rows"] for row in mine])
        )
        with_kernel = [row for row in mine if row["kernel_mape_pct"] is not None]
        if with_kernel:
            weights = [row["kernel_rows"] for row in with_kernel]
            kernel[soc] = float(np.average([row["kernel_mape_pct"] for row in with_kernel], weights=weights))
    return {
        "mape_pct": float(np.median(list(ours.values()))),
        "kernel_model_mape_pct": float(np.median(list(kernel.values()))) if kernel else None,
        "worst_soc_mape_pct": max(ours.values()),
        "mape_pct_of": ours,
        "kernel_model_mape_pct_of": kernel,
    }


if __name__ == "__main__":
    main()
