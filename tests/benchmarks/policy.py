"""Our policy beside kernel governors, EBS and the exhaustive best: ``python -m tests.benchmarks.policy``.

All figures are MODELLED: frames replayed on tables of measured power (``runtime.choose.simulation``).
Standard workload: 60 s at 30 and at 60 FPS, 20 seeds, see ``simulation.workload.standard``. ``--trace
PATH`` replays a CSV file ``arrival_ms,work_megacycles`` instead, ``--soc PATH`` one SoC instead of all
the profiles that come with edgekit and have measured power.

What late means, the same for every governor of a table:

- ``strict``: not done one period after its arrival, before the next frame comes.
- ``buffered``: not done two periods after its arrival. The display has one finished frame waiting
  (double buffering): as many frames per second are shown, each one period later. A frame that takes long
  borrows from the one behind it.

In both, frames queue: one begins when the one ahead is done, also if that is late.

The yardstick is ``over the optimum``: energy above the least that the same frames can take with everything
known, at the governor's own late frames (``simulation.optimum``); that is a bound, which nothing can beat.
``oracle`` tries every point for every frame, knowing its work: the cheapest that ends in time, from when the
frame begins. It does not look at the frames behind; with a buffer, borrowing for one frame costs the next,
so it is late more often, and a policy that balances frames can save more than it. ``oracle, own period`` is
that of ``strict``: it never borrows. ``ztt`` has learned on other seeds. ``policy`` is ours
(``choose.frame_policy``), whose penalty of a late frame follows them, ``policy at N`` at fixed ones:
without knowing a frame's work beforehand energy and lateness trade against each other. ``--informed`` adds
what the same dynamic program reaches when it is told each scene's level and the true scatter, but no
frame's work: about the most that any policy can do which does not see ahead; and what it reaches told the
scatter alone (``filtered``): about the most that can be learnt from the frames that are done.

Share of the oracle: our saving over ``interactive`` divided by the oracle's. Each SoC's figures pool the
rates; the summary is the mean over SoCs. The summary's own figures are those of ``buffered``, and
``strict`` has the same ones under ``strict``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from edgekit.cli._output import note
from runtime.choose.simulation import (
    Conservative,
    EnergyAware,
    EventBased,
    Frames,
    Interactive,
    Ondemand,
    Performance,
    Platform,
    Powersave,
    Schedutil,
    SimGovernor,
    replay,
)
from runtime.device.soc import SocProfile, list_profiles, load_profile
from runtime.errors import DeviceStableError, EdgekitError
from tests.benchmarks._informed import Filtered, Informed
from tests.benchmarks._policy_figures import speed_of, summary_of
from tests.benchmarks._profile import profile_of
from tests.benchmarks._table import rounded, show, write_report
from tests.benchmarks.simulation.governed import Governed
from tests.benchmarks.simulation.optimum import PowerHull, paces
from tests.benchmarks.simulation.oracle import Oracle
from tests.benchmarks.simulation.platform import platform_of
from tests.benchmarks.simulation.workload import buffered, read_trace, standard, standard_levels
from tests.benchmarks.simulation.ztt import Ztt

RATES = (30.0, 60.0)
BUFFERED, STRICT = "buffered", "strict"
WAITING = {BUFFERED: 1, STRICT: 0}  # finished frames that wait to be shown
OTHER_PRICES = (0.05, 0.18, 0.25, 0.5, 1.0, 2.0)
INFORMED_PRICES = (1.5, 2.0, 3.0, 4.5, 7.0)
COLUMNS = {
    "soc": "SoC",
    "frames": "frames",
    "late_means": "late means",
    "governor": "governor",
    "saved_pct": "saved vs interactive, %",
    "late_pct": "late, %",
    "changes": "changes/frame",
    "over_optimum_pct": "over the optimum, %",
    "oracle_share_pct": "share of oracle, %",
}
PER_SOC = {
    "soc": "SoC",
    "over_optimum_pct": "policy over the optimum, %",
    "oracle_over_optimum_pct": "oracle over it, %",
    "oracle_saved_vs_interactive_pct": "oracle saves, %",
    "energy_saved_vs_interactive_pct": "policy saves, %",
    "oracle_share_pct": "share, %",
    "qos_violation_pct": "policy late, %",
    "oracle_violation_pct": "oracle late, %",
    "own_period_oracle_violation_pct": "own-period oracle late, %",
    "interactive_violation_pct": "interactive late, %",
    "performance_violation_pct": "performance late, %",
    "ebs_violation_pct": "EBS late, %",
    "energy_saved_vs_ebs_pct": "less than EBS, %",
    "energy_saved_vs_ebs_at_most_as_late_pct": "less than EBS at most as late, %",
}


@click.command()
@click.option("--soc", "socs", multiple=True, help="Profile by name, or a .toml or .yaml file.")
@click.option("--trace", type=click.Path(path_type=Path), help="CSV file arrival_ms,work_megacycles.")
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(1))
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(1))
@click.option("--miss-penalty", type=click.FloatRange(0.01, 1000), help="Default: it follows late frames.")
@click.option("--one-price", is_flag=True, help="Leave out our policy at other prices of a late frame.")
@click.option("--informed", is_flag=True, help="Add a policy that is told each scene's level (strict only).")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
def main(
    socs: tuple[str, ...],
    trace: Path | None,
    seeds: int,
    seconds: float,
    miss_penalty: float | None,
    one_price: bool,
    informed: bool,
    json_path: Path | None,
) -> None:
    """Replay frames under every governor and print what each saves and how many frames are late."""
    rows: list[dict[str, Any]] = []
    half_rate: dict[str, float] = {}
    penalties: tuple[float | None, ...] = (miss_penalty,) if one_price else (miss_penalty, *OTHER_PRICES)
    begin_s = time.perf_counter()
    try:
        for platform in platforms(socs):
            for label, frames in workloads(platform, trace, seeds, seconds):
                practice = practice_of(platform, frames)
                for late_means, waiting in WAITING.items():
                    others: list[SimGovernor] = [Ztt(platform, buffered(practice, waiting))]
                    if informed and trace is None and not waiting:
                        levels = standard_levels(1e3 / frames.period_ms, range(seeds), seconds)
                        others += [Informed(platform, frames, levels, price) for price in INFORMED_PRICES]
                        others += [Filtered(platform, frames.period_ms, price) for price in INFORMED_PRICES]
                    rows += rows_of(platform, label, late_means, buffered(frames, waiting), penalties, others)
            if trace is None:
                half_rate[platform.name] = half_rate_saved_pct(platform, seeds, seconds, miss_penalty)
            note(f"{platform.name}: done after {time.perf_counter() - begin_s:.0f} s")
    except EdgekitError as err:
        raise click.ClickException(str(err)) from err
    summary = {"provenance": "modelled", "late_means": "done later than two periods after its arrival"}
    summary |= summary_of(rows, BUFFERED)
    summary[STRICT] = {"late_means": "done later than one period after its arrival"} | summary_of(
        rows, STRICT
    )
    summary["frames_per_minute"] = speed_of(rows)
    if half_rate:
        summary |= {"half_rate_saved_pct": float(np.mean(list(half_rate.values()))), "half_rate": half_rate}
    show(COLUMNS, [rounded(row) for row in rows])
    note("modelled: frames replayed on measured power tables, not run on a device")
    for late_means, figures in ((BUFFERED, summary), (STRICT, summary[STRICT])):
        note(f"-- late means {late_means}")
        show(PER_SOC, [rounded({"soc": soc} | each) for soc, each in figures["per_soc"].items()])
    for key, value in summary.items():
        if not isinstance(value, dict):
            note(f"{key}: {round(value, 2) if isinstance(value, float) else value}")
    write_report(json_path, "policy", rows, summary)


def platforms(socs: tuple[str, ...]) -> list[Platform]:
    """Return the platforms asked for, or all that have measured power."""
    if socs:
        return [_platform(profile_of(name)) for name in socs]
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


def practice_of(platform: Platform, frames: Frames) -> Frames:
    """Return what the learning agent learns on: the standard workload of other seeds, at the same rate."""
    fps = 1e3 / frames.period_ms
    seconds = min(60.0, frames.work.shape[1] / fps)
    return standard(platform.top_khz, fps, range(1000, 1008), seconds)


def half_rate_saved_pct(platform: Platform, seeds: int, seconds: float, miss_penalty: float | None) -> float:
    """Return what serving every second frame of 60 FPS saves over ``interactive`` serving them all.

    Each is due when the next one that is served arrives: no buffer.
    """
    every = standard(platform.top_khz, 60.0, range(seeds), seconds)
    arrival_ms = every.arrival_ms[:, ::2]
    second = Frames(arrival_ms, arrival_ms + 2e3 / 60.0, every.work[:, ::2])
    base = replay(platform, every, Interactive(platform)).energy_mj.sum()
    ours = replay(
        platform, second, Governed(platform, second.period_ms, miss_penalty=miss_penalty)
    ).energy_mj.sum()
    return float(100 * (1 - ours / base))


def governors_of(
    platform: Platform,
    frames: Frames,
    waiting: int,
    penalties: Sequence[float | None],
    others: list[SimGovernor],
) -> list[SimGovernor]:
    """Return every governor to replay ``frames`` under: those to compare with, ours at each penalty."""
    kinds: tuple[Callable[[Platform], SimGovernor], ...] = (
        Interactive, Performance, Powersave, Ondemand, Conservative, Schedutil, EnergyAware, EventBased,
    )  # fmt: skip
    governors = [*(kind(platform) for kind in kinds), *others, Oracle(platform, frames)]
    if waiting:
        unbuffered = Frames(frames.arrival_ms, frames.deadline_ms - waiting * frames.period_ms, frames.work)
        governors.append(Oracle(platform, unbuffered, own_deadlines=True))
    deadline_ms = (1 + waiting) * frames.period_ms
    for penalty in penalties:
        governors.append(Governed(platform, frames.period_ms, deadline_ms, penalty))
        if penalty is not None and penalty != penalties[0]:
            governors[-1].name = f"policy at {penalty:g}"
    return governors


def rows_of(
    platform: Platform,
    label: str,
    late_means: str,
    frames: Frames,
    penalties: Sequence[float | None],
    others: list[SimGovernor],
) -> list[dict[str, Any]]:
    """Return one row per governor."""
    rows = []
    over_mw = platform.power_mw + platform.idle_mw - platform.waiting_mw
    hull = PowerHull(platform.free_speed, over_mw)
    for governor in governors_of(platform, frames, WAITING[late_means], penalties, others):
        begin_s = time.process_time()
        ran = replay(platform, frames, governor)
        took_s = time.process_time() - begin_s
        least_uj = sum(pace.energy_uj(hull) for pace in paces(frames, ran.finish_ms))
        busy_uj = float((ran.busy_ms @ over_mw).sum())
        rows.append(
            {
                "soc": platform.name,
                "frames": label,
                "late_means": late_means,
                "governor": governor.name,
                "provenance": "modelled",
                "count": int(frames.work.size),
                "energy_mj": float(ran.energy_mj.sum()),
                "energy_mj_per_s": float(ran.energy_mj.sum() / _length_s(frames)),
                "late": int(ran.late.sum()),
                "late_pct": ran.late_pct,
                "changes": float(ran.transitions.sum() / frames.work.size),
                "over_optimum_pct": 100 * (busy_uj / least_uj - 1),
                "took_cpu_s": took_s,
            }
        )
    base, best = rows[0]["energy_mj"], _one(rows, "oracle")["energy_mj"]
    for row in rows:
        row["saved_pct"] = 100 * (1 - row["energy_mj"] / base)
        row["oracle_share_pct"] = 100 * (base - row["energy_mj"]) / (base - best) if base > best else None
    return rows


def _one(rows: list[dict[str, Any]], governor: str) -> dict[str, Any]:
    return next(row for row in rows if row["governor"] == governor)


def _length_s(frames: Frames) -> float:
    return float((frames.deadline_ms[:, -1] - frames.arrival_ms[:, 0]).sum()) / 1e3


if __name__ == "__main__":
    main()
