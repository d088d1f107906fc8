"""Our policy beside kernel governors, EBS and the exhaustive best: ``python -m tests.benchmarks.policy``.

All figures are MODELLED: frames replayed on tables of measured power (``runtime.simulation``). Standard
workload: 60 s at 30 and at 60 FPS, 20 seeds, see ``runtime.simulation.frames.standard``. ``--trace
PATH`` replays a CSV file ``arrival_ms,work_megacycles`` instead, ``--soc PATH`` one SoC instead of all
the profiles that come with edgekit and have measured power.

``policy`` is our policy at ``--late-share`` (frames that may be late though the fastest clock, used
throughout, would have finished them); ``policy at N %`` shows what more or fewer late frames buy. Without
knowing a frame's work beforehand the two figures trade against each other.

Share of the oracle: our saving over ``interactive`` divided by the oracle's. Each SoC's figures pool the
rates; the summary is the mean over SoCs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from edgekit.cli._output import note
from runtime.errors import DeviceStableError, EdgekitError
from runtime.simulation import (
    Conservative,
    EnergyAware,
    EventBased,
    Frames,
    Governed,
    Governor,
    Interactive,
    Ondemand,
    Oracle,
    Performance,
    Platform,
    Powersave,
    Schedutil,
    platform_of,
    read_trace,
    replay,
    standard,
)
from runtime.soc import SocProfile, list_profiles, load_profile
from tests.benchmarks._table import show, write_report

RATES = (30.0, 60.0)
LATE_SHARE = 0.006
OTHER_SHARES = (0.03, 0.08)
COLUMNS = {
    "soc": "SoC",
    "frames": "frames",
    "governor": "governor",
    "saved_pct": "saved vs interactive, %",
    "late_pct": "late, %",
    "changes": "changes/frame",
    "oracle_share_pct": "share of oracle, %",
}


@click.command()
@click.option("--soc", "socs", multiple=True, help="Profile by name, or a .toml or .yaml file.")
@click.option("--trace", type=click.Path(path_type=Path), help="CSV file arrival_ms,work_megacycles.")
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(1))
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(1))
@click.option("--late-share", default=LATE_SHARE, show_default=True, type=click.FloatRange(0.0001, 0.5))
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
def main(
    socs: tuple[str, ...],
    trace: Path | None,
    seeds: int,
    seconds: float,
    late_share: float,
    json_path: Path | None,
) -> None:
    """Replay frames under every governor and print what each saves and how many frames are late."""
    rows: list[dict[str, Any]] = []
    half_rate: dict[str, float] = {}
    begin_s = time.perf_counter()
    try:
        for platform in platforms(socs):
            for label, frames in workloads(platform, trace, seeds, seconds):
                rows += rows_of(platform, label, frames, late_share)
            if trace is None:
                half_rate[platform.name] = half_rate_saved_pct(platform, seeds, seconds, late_share)
            note(f"{platform.name}: done after {time.perf_counter() - begin_s:.0f} s")
    except EdgekitError as err:
        raise click.ClickException(str(err)) from err
    summary = summary_of(rows)
    if half_rate:
        summary |= {"half_rate_saved_pct": float(np.mean(list(half_rate.values()))), "half_rate": half_rate}
    show(COLUMNS, [_printed(row) for row in rows])
    note("modelled: frames replayed on measured power tables, not run on a device")
    for key, value in summary.items():
        if not isinstance(value, dict):
            note(f"{key}: {round(value, 2) if isinstance(value, float) else value}")
    write_report(json_path, "policy", rows, summary)


def platforms(socs: tuple[str, ...]) -> list[Platform]:
    """Return the platforms asked for, or all that have measured power."""
    if socs:
        return [_platform(load_profile(name)) for name in socs]
    found = []
    for name in list_profiles():
        profile = load_profile(name)
        if not any(opp.power_mw for cluster in profile.clusters for opp in cluster.opps):
            note(f"{name}: no measured power, left out")
            continue
        try:
            found.append(_platform(profile))
        except DeviceStableError as err:
            note(f"{name}: {err}")
    return found


def _platform(profile: SocProfile) -> Platform:
    platform = platform_of(profile)
    if platform.left_out:
        note(f"{platform.name}: no power is known at {', '.join(platform.left_out)}: left out")
    return platform


def workloads(platform: Platform, trace: Path | None, seeds: int, seconds: float) -> list[tuple[str, Frames]]:
    """Return the frames to replay, each with a label."""
    if trace is not None:
        return [(trace.name, read_trace(trace))]
    return [(f"{fps:g} FPS", standard(platform.top_khz, fps, range(seeds), seconds)) for fps in RATES]


def half_rate_saved_pct(platform: Platform, seeds: int, seconds: float, late_share: float) -> float:
    """Return what serving every second frame of 60 FPS saves over ``interactive`` serving them all."""
    every = standard(platform.top_khz, 60.0, range(seeds), seconds)
    arrival_ms = every.arrival_ms[:, ::2]
    second = Frames(arrival_ms, arrival_ms + 2e3 / 60.0, every.work[:, ::2])
    base = replay(platform, every, Interactive(platform)).energy_mj.sum()
    ours = replay(platform, second, Governed(platform, late_share)).energy_mj.sum()
    return float(100 * (1 - ours / base))


def rows_of(platform: Platform, label: str, frames: Frames, late_share: float) -> list[dict[str, Any]]:
    """Return one row per governor."""
    kinds: tuple[Callable[[Platform], Governor], ...] = (
        Interactive, Performance, Powersave, Ondemand, Conservative, Schedutil, EnergyAware, EventBased,
    )  # fmt: skip
    governors = [*(kind(platform) for kind in kinds), Oracle(platform, frames)]
    governors.append(Governed(platform, late_share))
    for share in OTHER_SHARES:
        governors.append(Governed(platform, share))
        governors[-1].name = f"policy at {100 * share:g} %"
    rows = []
    for governor in governors:
        begin_s = time.perf_counter()
        ran = replay(platform, frames, governor)
        took_s = time.perf_counter() - begin_s
        rows.append(
            {
                "soc": platform.name,
                "frames": label,
                "governor": governor.name,
                "provenance": "modelled",
                "count": int(frames.work.size),
                "energy_mj": float(ran.energy_mj.sum()),
                "energy_mj_per_s": float(ran.energy_mj.sum() / _length_s(frames)),
                "late": int(ran.late.sum()),
                "late_pct": ran.late_pct,
                "changes": float(ran.transitions.sum() / frames.work.size),
                "frames_per_minute": float(60 * frames.work.size / took_s),
            }
        )
    base, best = rows[0]["energy_mj"], _one(rows, "oracle")["energy_mj"]
    for row in rows:
        row["saved_pct"] = 100 * (1 - row["energy_mj"] / base)
        row["oracle_share_pct"] = 100 * (base - row["energy_mj"]) / (base - best) if base > best else None
    return rows


def summary_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean over SoCs of each figure, and the figures of each SoC."""
    per_soc = {}
    for soc in dict.fromkeys(row["soc"] for row in rows):
        mine = [row for row in rows if row["soc"] == soc]
        power, late = {}, {}
        for name in dict.fromkeys(row["governor"] for row in mine):
            same = [row for row in mine if row["governor"] == name]
            power[name] = sum(row["energy_mj_per_s"] for row in same)
            late[name] = 100 * sum(row["late"] for row in same) / sum(row["count"] for row in same)
        saving, ceiling = power["interactive"] - power["policy"], power["interactive"] - power["oracle"]
        per_soc[soc] = {
            "energy_saved_vs_interactive_pct": 100 * saving / power["interactive"],
            "energy_saved_vs_ebs_pct": 100 * (1 - power["policy"] / power["ebs"]),
            "oracle_saved_vs_interactive_pct": 100 * ceiling / power["interactive"],
            "oracle_share_pct": 100 * saving / ceiling if ceiling > 0 else None,
            "qos_violation_pct": late["policy"],
            "oracle_violation_pct": late["oracle"],
            "interactive_violation_pct": late["interactive"],
            "ebs_violation_pct": late["ebs"],
            "performance_violation_pct": late["performance"],
            "at_other_late_shares": {
                name: {
                    "energy_saved_vs_ebs_pct": 100 * (1 - power[name] / power["ebs"]),
                    "oracle_share_pct": 100 * (power["interactive"] - power[name]) / ceiling,
                    "qos_violation_pct": late[name],
                }
                for name in power
                if name.startswith("policy at ") and ceiling > 0
            },
        }
    keys = [key for key in next(iter(per_soc.values())) if key.endswith("_pct")]
    means = {key: _mean([each[key] for each in per_soc.values()]) for key in keys}
    return {"provenance": "modelled", **means, "per_soc": per_soc}


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _one(rows: list[dict[str, Any]], governor: str) -> dict[str, Any]:
    return next(row for row in rows if row["governor"] == governor)


def _length_s(frames: Frames) -> float:
    return float((frames.deadline_ms[:, -1] - frames.arrival_ms[:, 0]).sum()) / 1e3


def _printed(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: "-" if value is None else f"{value:.1f}" if isinstance(value, float) else value
        for key, value in row.items()
    }


if __name__ == "__main__":
    main()
