"""What the rows of the policy benchmark come to: per SoC, and on average."""

from __future__ import annotations

from typing import Any

import numpy as np


def summary_of(rows: list[dict[str, Any]], late_means: str) -> dict[str, Any]:
    """Return the mean over SoCs of each figure under one meaning of late, and the figures of each SoC."""
    per_soc = {}
    for soc in dict.fromkeys(row["soc"] for row in rows):
        mine = [row for row in rows if (row["soc"], row["late_means"]) == (soc, late_means)]
        power, late, over = {}, {}, {}
        for name in dict.fromkeys(row["governor"] for row in mine):
            same = [row for row in mine if row["governor"] == name]
            power[name] = sum(row["energy_mj_per_s"] for row in same)
            late[name] = 100 * sum(row["late"] for row in same) / sum(row["count"] for row in same)
            over[name] = float(np.mean([row["over_optimum_pct"] for row in same]))
        per_soc[soc] = _figures(power, late, over)
    keys = [key for key in next(iter(per_soc.values())) if key.endswith("_pct")]
    means = {key: _mean([each[key] for each in per_soc.values()]) for key in keys}
    return means | {"per_soc": per_soc}


def _figures(power: dict[str, float], late: dict[str, float], over: dict[str, float]) -> dict[str, Any]:
    def saved(name: str, base: str = "interactive") -> float:
        return 100 * (1 - power[name] / power[base])

    ceiling = saved("oracle")
    prices = [name for name in power if name.startswith("policy")]
    as_late = [name for name in prices if late[name] <= late["ebs"]]
    own = "oracle, own period"
    informed = [name for name in power if name.startswith("informed")]
    told = [name for name in informed if late[name] <= late["oracle"] + 1]
    figures = {
        "over_optimum_pct": over["policy"],
        "oracle_over_optimum_pct": over["oracle"],
        "energy_saved_vs_interactive_pct": saved("policy"),
        "energy_saved_vs_ebs_pct": saved("policy", "ebs"),
        "energy_saved_vs_ebs_at_most_as_late_pct": max(
            (saved(name, "ebs") for name in as_late), default=None
        ),
        "oracle_saved_vs_interactive_pct": ceiling,
        "oracle_share_pct": 100 * saved("policy") / ceiling if ceiling > 0 else None,
        "qos_violation_pct": late["policy"],
        "oracle_violation_pct": late["oracle"],
        "own_period_oracle_saved_vs_interactive_pct": saved(own) if own in power else ceiling,
        "own_period_oracle_violation_pct": late.get(own, late["oracle"]),
        "interactive_violation_pct": late["interactive"],
        "ebs_violation_pct": late["ebs"],
        "performance_violation_pct": late["performance"],
        "at_other_late_prices": {
            name: {
                "energy_saved_vs_ebs_pct": saved(name, "ebs"),
                "over_optimum_pct": over[name],
                "oracle_share_pct": 100 * saved(name) / ceiling,
                "qos_violation_pct": late[name],
            }
            for name in prices
            if name != "policy" and ceiling > 0
        },
    }
    for kind in ("informed", "filtered") if informed else ():  # the one that is about as late as ours
        nearest = min(
            (name for name in power if name.startswith(kind)),
            key=lambda name: abs(late[name] - late["policy"]),
        )
        figures[f"{kind}_over_optimum_pct"] = over[nearest]
        figures[f"{kind}_violation_pct"] = late[nearest]
    if told and ceiling > 0:
        best = max(100 * saved(name) / ceiling for name in told)
        figures["informed_share_at_oracle_violation_plus_1_pct"] = best
    return figures


def speed_of(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return each governor's frames per minute of processor time; ``all`` pools them."""
    speed = {}
    for name in dict.fromkeys(row["governor"] for row in rows):
        speed[name] = _frames_per_minute([row for row in rows if row["governor"] == name])
    return speed | {"all": _frames_per_minute(rows)}


def _frames_per_minute(rows: list[dict[str, Any]]) -> float:
    return 60.0 * sum(row["count"] for row in rows) / max(sum(row["took_cpu_s"] for row in rows), 1e-9)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
