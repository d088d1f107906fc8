"""Our governor beside the stock ones on the same frames, and what all of it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from runtime.choose.simulation import (
    EnergyAware,
    EventBased,
    Frames,
    Interactive,
    Platform,
    Replay,
    Schedutil,
    SimGovernor,
    replay,
)
from tests.benchmarks.energy_truth.cases import BOUNDS, Case
from tests.benchmarks.simulation.optimum import PowerHull, paces

# A governor is a rival where at most so many points more of its frames are late: being late is no saving.
LATER_PCT = 0.5
# Below this two energies are one: a change of clock at the edge of the counted frames comes to that.
TIE_PCT = 0.05


def rows_of(case: Case, count: int, settle: int) -> list[dict[str, Any]]:
    """Return a row per lane, source of bounds and account.

    Args:
        count: frames that count, after ``settle`` more in which governors find their clock.
    """
    frames = case.frames(settle + count)
    counted = Frames(*(each[:, settle:] for each in (frames.arrival_ms, frames.deadline_ms, frames.work)))
    stock = {
        name: replay(case.platform, frames, governor, settle=settle)
        for name, governor in rivals(case.platform).items()
    }
    rows = []
    for bounds in BOUNDS:
        ours = replay(case.platform, frames, case.governor(bounds), settle=settle)
        best = paces(counted, ours.finish_ms[:, settle:])
        for account, power_mw in accounts_of(case).items():
            hull = PowerHull(case.platform.speed, power_mw)
            rival_mj = {name: ran.busy_ms @ power_mw / 1e3 for name, ran in stock.items()}
            ours_mj = ours.busy_ms @ power_mw / 1e3
            for number, lane in enumerate(case.lanes):
                row = {
                    "soc": case.platform.name,
                    "network": case.network,
                    "fps": lane.fps,
                    "scatter": lane.scatter,
                    "bounds": bounds,
                    "account": account,
                    "late_pct": _late_pct(ours, number, settle),
                    "energy_mj": float(ours_mj[number]) / count,
                    "changes": float(ours.transitions[number]) / count,
                    "over_bound_pct": _above_pct(ours_mj[number], best[number].energy_uj(hull) / 1e3),
                }
                late = {name: _late_pct(ran, number, settle) for name, ran in stock.items()}
                above = {
                    name: _above_pct(ours_mj[number], rival_mj[name][number])
                    for name in stock
                    if late[name] <= row["late_pct"] + LATER_PCT
                }
                rows.append(row | _beside(above))
    return rows


def rivals(platform: Platform) -> dict[str, SimGovernor]:
    """Return the governors that phones come with, schedutil once on each cluster, and EBS."""
    schedutil = {
        f"schedutil on {name}": Schedutil(platform, number)
        for number, name in enumerate(platform.cluster_names)
    }
    others = {"eas": EnergyAware(platform), "ebs": EventBased(platform), "interactive": Interactive(platform)}
    return {**schedutil, **others}


def accounts_of(case: Case) -> dict[str, np.ndarray]:
    """Return the power above waiting of each point, by every account that the profile allows."""
    return {"table": case.platform.power_mw}


def _beside(above_pct: dict[str, float]) -> dict[str, Any]:
    """Return which governor, of those not too late, is the cheapest, and how far we are above each kind."""
    rival = max(above_pct, key=lambda name: above_pct[name], default=None)
    schedutil = [pct for name, pct in above_pct.items() if name.startswith("schedutil")]
    return {
        "rival": rival,
        "above_pct": None if rival is None else above_pct[rival],
        "above_schedutil_pct": max(schedutil, default=None),
        "above_eas_pct": above_pct.get("eas"),
    }


def _late_pct(ran: Replay, lane: int, settle: int) -> float:
    return 100 * float(ran.late[lane, settle:].mean())


def _above_pct(ours: float, theirs: float) -> float:
    return 100 * (float(ours) / float(theirs) - 1)


def summary_of(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the rows come to; a cell is a SoC at a rate, and all of its rows must hold."""
    cells: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for row in rows:
        cells.setdefault((row["soc"], row["fps"]), []).append(row)
    worst = {key: _most(row["above_pct"] for row in found) for key, found in cells.items()}
    lost = {key: pct for key, pct in worst.items() if pct is not None and pct > TIE_PCT}
    over = [row["over_bound_pct"] for row in rows]
    return {
        "provenance": "modelled",
        "cells": len(cells),
        "not_above": len(cells) - len(lost),
        "worst_pct": _most(worst.values()),
        "worst_vs_schedutil_pct": _most(row["above_schedutil_pct"] for row in rows),
        "worst_vs_eas_pct": _most(row["above_eas_pct"] for row in rows),
        "mean_over_bound_pct": float(np.mean(over)),
        "max_over_bound_pct": float(np.max(over)),
        "mean_late_pct": float(np.mean([row["late_pct"] for row in rows])),
        "rows": len(rows),
        "rows_not_above": sum(row["above_pct"] is None or row["above_pct"] <= TIE_PCT for row in rows),
        "above": {f"{soc} {fps:g} FPS": pct for (soc, fps), pct in lost.items()},
    }


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
