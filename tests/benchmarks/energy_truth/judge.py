"""Our governor beside the stock ones on the same frames, and what all of it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from runtime.targets.virtual import VirtualTarget
from tests.benchmarks.energy_truth.cases import BOUNDS, NOMINALLY, Case, Lane, accounts_of, case_of
from tests.benchmarks.simulation.optimum import PowerHull, paces

# A governor is a rival where at most so many points more of its frames are late: being late is no saving.
LATER_PCT = 0.5
# Below this two energies are one: a change of clock at the edge of the counted frames comes to that.
TIE_PCT = 0.05


def rows_of(
    target: VirtualTarget, network: tuple[str, int], rates: Sequence[float], count: int, settle: int
) -> tuple[list[dict[str, Any]], tuple[Lane, ...]]:
    """Return a row per lane, account and source of bounds, and the lanes that are too fast for every setting.

    Args:
        count: frames that count, after ``settle`` more in which governors find their clock.

    Raises:
        DeviceStableError: as ``case_of``.
    """
    nominal = case_of(target, network, rates)
    if not nominal.lanes:
        return [], nominal.left_out
    frames = nominal.frames(settle + count)
    soc = nominal.platform
    stock = {name: replay(soc, frames, governor, settle=settle) for name, governor in by_load(soc).items()}
    runs: list[_Run] = []
    for account, assumed in accounts_of(target).items():
        case = case_of(target, network, rates, assumed)
        weighed = {
            name: replay(case.platform, frames, governor, settle=settle)
            for name, governor in by_power(case.platform).items()
        }
        for bounds in BOUNDS if account == NOMINALLY else BOUNDS[:1]:
            ours = replay(case.platform, frames, case.governor(bounds), settle=settle)
            runs.append(_Run(case, account, account, bounds, ours, {**stock, **weighed}))
        if account != NOMINALLY:  # what a policy costs that was tuned for another account
            runs.append(_Run(case, account, NOMINALLY, runs[0].bounds, runs[0].ours, {**stock, **weighed}))
    return [row for run in runs for row in _rows(run, frames, settle)], nominal.left_out


@dataclass(frozen=True)
class _Run:
    """Our governor and the others on the same frames.

    Attributes:
        case: whose account is the true one.
        tuned_for: the account of our policy.
    """

    case: Case
    account: str
    tuned_for: str
    bounds: str
    ours: Replay
    others: Mapping[str, Replay]


def _rows(run: _Run, frames: Frames, settle: int) -> Iterator[dict[str, Any]]:
    soc, ours = run.case.platform, run.ours
    counted = Frames(*(each[:, settle:] for each in (frames.arrival_ms, frames.deadline_ms, frames.work)))
    count = counted.work.shape[1]
    hull = PowerHull(soc.speed, soc.power_mw)
    best = paces(counted, ours.finish_ms[:, settle:])
    ours_mj = ours.busy_ms @ soc.power_mw / 1e3
    theirs_mj = {name: ran.busy_ms @ soc.power_mw / 1e3 for name, ran in run.others.items()}
    for number, lane in enumerate(run.case.lanes):
        late_pct = _late_pct(ours, number, settle)
        above = {
            name: _above_pct(ours_mj[number], theirs_mj[name][number])
            for name, ran in run.others.items()
            if _late_pct(ran, number, settle) <= late_pct + LATER_PCT
        }
        yield {
            "soc": soc.name,
            "network": run.case.network,
            "fps": lane.fps,
            "scatter_pct": 100 * lane.scatter,
            "bounds": run.bounds,
            "account": run.account,
            "tuned_for": run.tuned_for,
            "late_pct": late_pct,
            "energy_mj": float(ours_mj[number]) / count,
            "changes": float(ours.transitions[number]) / count,
            "over_bound_pct": _above_pct(ours_mj[number], best[number].energy_uj(hull) / 1e3),
            **_beside(above),
        }


def by_load(platform: Platform) -> dict[str, SimGovernor]:
    """Return the governors that see nothing but the load: ``interactive``, and schedutil on each cluster."""
    found: dict[str, SimGovernor] = {"interactive": Interactive(platform)}
    for number, name in enumerate(platform.cluster_names):
        found[f"schedutil on {name}"] = Schedutil(platform, number)
    return found


def by_power(platform: Platform) -> dict[str, SimGovernor]:
    """Return the governors that weigh the power of points, too."""
    return {"eas": EnergyAware(platform), "ebs": EventBased(platform)}


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
    """Return what the rows come to; a cell is a SoC at a rate, and all of its rows must hold.

    Rows of a policy that was tuned for another account than the true one are apart: what is not known
    cannot be decided by, and governors that rest on either of two clusters cannot both be beaten.
    """
    other = [row for row in rows if row["tuned_for"] != row["account"]]
    rows = [row for row in rows if row["tuned_for"] == row["account"]]
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
        "worst_under_another_account_pct": _most(row["above_pct"] for row in other),
        "above": {f"{soc} {fps:g} FPS": pct for (soc, fps), pct in lost.items()},
    }


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
