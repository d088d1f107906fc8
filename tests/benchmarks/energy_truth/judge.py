"""Our governor beside the stock ones on the same frames, and what all of it comes to."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
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
from runtime.govern.governor.plan import LATE_SHARE
from tests.benchmarks.energy_truth.cases import Case
from tests.benchmarks.simulation.blind import least_blind_uj
from tests.benchmarks.simulation.optimum import PowerHull, paces

# A governor is a rival where at most so many points more of its frames are late: being late is no saving.
LATER_PCT = 0.5
# Below this two energies are one: a change of clock at the edge of the counted frames comes to that.
TIE_PCT = 0.05
EBS = "ebs"


def rows_of(case: Case, count: int, settle: int) -> Iterator[dict[str, Any]]:
    """Return a row per load, account and tuning of our policy.

    Policies of other accounts than the true one are left out, but for the nominal one: what that costs where
    its account does not hold.

    Args:
        count: frames that count, after ``settle`` more in which governors find their clock.
    """
    frames, soc = case.frames(settle + count), case.platform
    stock = {name: replay(soc, frames, each, settle=settle) for name, each in stock_of(soc).items()}
    columns = (frames.arrival_ms, frames.deadline_ms, frames.work)
    ours_frames = Frames(*(np.tile(column, (len(case.tunings), 1)) for column in columns))
    ours = replay(soc, ours_frames, case.governor(), settle=settle)
    counted = Frames(
        *(c[:, settle:] for c in (ours_frames.arrival_ms, ours_frames.deadline_ms, ours_frames.work))
    )
    best = paces(counted, ours.finish_ms[:, settle:])
    hulls = {account: PowerHull(soc.speed, power_mw) for account, power_mw in case.powers_mw.items()}
    judged = [
        (account, place)
        for account in case.powers_mw
        for place, tuning in enumerate(case.tunings)
        if place == 0 or tuning.account == account
    ]
    for (account, place), (number, load) in itertools.product(judged, enumerate(case.loads)):
        power_mw, tuning = case.powers_mw[account], case.tunings[place]
        lane = place * len(case.loads) + number
        ours_mj = float(ours.busy_ms[lane] @ power_mw) / 1e3
        late_pct = _late_pct(ours, lane, settle)
        above = {
            name: _above_pct(ours_mj, float(ran.busy_ms[number] @ power_mw) / 1e3)
            for name, ran in stock.items()
            if _late_pct(ran, number, settle) <= late_pct + LATER_PCT
        }
        bound_mj = best[lane].energy_uj(hulls[account]) / 1e3
        blind_uj = least_blind_uj(soc.speed, power_mw, 1e3 / load.fps, load.scatter, LATE_SHARE)
        blind_mj = None if blind_uj is None else count * blind_uj / 1e3
        yield {
            "soc": soc.name,
            "network": case.network,
            "fps": load.fps,
            "scatter_pct": 100 * load.scatter,
            "bounds": tuning.bounds,
            "account": account,
            "tuned_for": tuning.account,
            "late_pct": late_pct,
            "energy_mj": ours_mj / count,
            "changes": float(ours.transitions[lane]) / count,
            "over_bound_pct": _above_pct(ours_mj, bound_mj),
            "over_blind_pct": None if blind_mj is None else _above_pct(ours_mj, blind_mj),
            "blind_over_bound_pct": None if blind_mj is None else _above_pct(blind_mj, bound_mj),
            **_beside(above),
        }


def stock_of(platform: Platform) -> dict[str, SimGovernor]:
    """Return the governors that phones come with, schedutil once on each cluster, and EBS."""
    found: dict[str, SimGovernor] = {
        f"schedutil on {name}": Schedutil(platform, number)
        for number, name in enumerate(platform.cluster_names)
    }
    weighing = {"eas": EnergyAware(platform), EBS: EventBased(platform)}
    return {**found, **weighing, "interactive": Interactive(platform)}


def _beside(above_pct: dict[str, float]) -> dict[str, Any]:
    """Return which of the kernel's governors, of those not too late, is the cheapest, and how far below us.

    EBS is a scheduler of a paper, on no phone: it stands apart.
    """
    kernels = {name: pct for name, pct in above_pct.items() if name != EBS}
    rival = max(kernels, key=lambda name: kernels[name], default=None)
    schedutil = [pct for name, pct in kernels.items() if name.startswith("schedutil")]
    return {
        "rival": rival,
        "above_pct": None if rival is None else kernels[rival],
        "above_schedutil_pct": max(schedutil, default=None),
        "above_eas_pct": kernels.get("eas"),
        "above_ebs_pct": above_pct.get(EBS),
    }


def _late_pct(ran: Replay, lane: int, settle: int) -> float:
    return 100 * float(ran.late[lane, settle:].mean())


def _above_pct(ours: float, theirs: float) -> float:
    return 100 * (ours / theirs - 1)


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
    beside_ebs = {key: _most(row["above_ebs_pct"] for row in found) for key, found in cells.items()}
    lost = {key: pct for key, pct in worst.items() if pct is not None and pct > TIE_PCT}
    over = [row["over_bound_pct"] for row in rows]
    over_blind = [row["over_blind_pct"] for row in rows if row["over_blind_pct"] is not None]
    unseen = [row["blind_over_bound_pct"] for row in rows if row["blind_over_bound_pct"] is not None]
    return {
        "provenance": "modelled",
        "cells": len(cells),
        "not_above": len(cells) - len(lost),
        "worst_pct": _most(worst.values()),
        "worst_vs_schedutil_pct": _most(row["above_schedutil_pct"] for row in rows),
        "worst_vs_eas_pct": _most(row["above_eas_pct"] for row in rows),
        "worst_vs_ebs_pct": _most(row["above_ebs_pct"] for row in rows),
        "mean_over_bound_pct": float(np.mean(over)),
        "max_over_bound_pct": float(np.max(over)),
        "mean_over_blind_pct": float(np.mean(over_blind)) if over_blind else None,
        "max_over_blind_pct": _most(over_blind),
        "mean_blind_over_bound_pct": float(np.mean(unseen)) if unseen else None,
        "max_blind_over_bound_pct": _most(unseen),
        "mean_late_pct": float(np.mean([row["late_pct"] for row in rows])),
        "rows": len(rows),
        "rows_not_above": sum(row["above_pct"] is None or row["above_pct"] <= TIE_PCT for row in rows),
        "worst_under_another_account_pct": _most(row["above_pct"] for row in other),
        "above": {f"{soc} {fps:g} FPS": pct for (soc, fps), pct in lost.items()},
        "above_ebs": {
            f"{soc} {fps:g} FPS": pct for (soc, fps), pct in beside_ebs.items() if (pct or 0) > TIE_PCT
        },
    }


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
