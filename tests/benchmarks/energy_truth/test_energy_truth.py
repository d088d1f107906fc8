import json

import pytest
from click.testing import CliRunner

from tests.benchmarks.energy_truth.__main__ import main
from tests.benchmarks.energy_truth.judge import _beside, summary_of

SOC = """
name: toy
clusters:
- {name: little, core: cortex-a55, cpus: [0, 1], capacity_dmips_mhz: 300,
   opps: [{khz: 500000, power_mw: 20}, {khz: 1000000, power_mw: 60}, {khz: 1800000, power_mw: 200}]}
- {name: big, core: cortex-a76, cpus: [2, 3], capacity_dmips_mhz: 1024,
   opps: [{khz: 500000, power_mw: 90}, {khz: 1000000, power_mw: 220}, {khz: 2000000, power_mw: 1000}]}
"""


def row(soc="toy", fps=30.0, above_pct=-1.0, **changes):
    return {
        "soc": soc, "fps": fps, "above_pct": above_pct, "above_schedutil_pct": above_pct,
        "above_eas_pct": -2.0, "above_ebs_pct": None, "over_bound_pct": 4.0, "over_blind_pct": 1.0,
        "blind_over_bound_pct": 3.0,
        "late_pct": 1.0, "account": "nominal", "tuned_for": "nominal",
    } | changes  # fmt: skip


def test_an_unseen_soc_is_judged(tmp_path):
    pytest.importorskip("yaml")
    path, out = tmp_path / "toy_measured.yaml", tmp_path / "out.json"
    path.write_text(SOC)
    given = ["--soc", str(path), "--fps", "15", "--fps", "30", "--frames", "30", "--settle", "5"]
    ran = CliRunner().invoke(main, [*given, "--json", str(out)])
    assert ran.exit_code == 0, ran.output
    report = json.loads(out.read_text())
    summary = report["summary"]
    assert summary.keys() >= {
        "cells", "not_above", "worst_vs_schedutil_pct", "worst_vs_eas_pct", "mean_over_bound_pct",
        "max_over_bound_pct",
    }  # fmt: skip
    assert summary["cells"] == 2
    assert all(row["over_bound_pct"] > -1e-6 for row in report["rows"])  # else it is no bound
    assert {row["bounds"] for row in report["rows"]} == {"benched", "modelled"}


def test_a_soc_without_power_is_one_line(tmp_path):
    pytest.importorskip("yaml")
    path = tmp_path / "dark.yaml"
    path.write_text(
        "name: dark\nclusters:\n- {name: big, core: cortex-a76, cpus: [0], opps: [{khz: 500000}]}\n"
    )
    ran = CliRunner().invoke(main, ["--soc", str(path)])
    assert ran.exit_code == 1
    assert "power" in ran.output
    assert "Traceback" not in ran.output


def test_a_governor_that_is_not_too_late_and_takes_least_is_the_rival():
    above = {"schedutil on little": -3.0, "schedutil on big": -40.0, "eas": -5.0, "interactive": -60.0}
    assert _beside(above | {"ebs": 2.0}) == {
        "rival": "schedutil on little", "above_pct": -3.0, "above_schedutil_pct": -3.0, "above_eas_pct": -5.0,
        "above_ebs_pct": 2.0,
    }  # fmt: skip
    assert _beside({})["above_pct"] is None  # all others are too late


def test_a_cell_is_lost_by_its_worst_row():
    rows = [row(), row(above_pct=0.3, over_bound_pct=10.0), row(fps=60.0), row(fps=15.0, above_pct=None)]
    found = summary_of(rows)
    assert (found["cells"], found["not_above"]) == (3, 2)
    assert found["worst_vs_schedutil_pct"] == 0.3
    assert found["worst_vs_eas_pct"] == -2.0
    assert (found["mean_over_bound_pct"], found["max_over_bound_pct"]) == (5.5, 10.0)
    assert found["above"] == {"toy 30 FPS": 0.3}


def test_a_policy_tuned_for_another_account_is_apart():
    found = summary_of([row(), row(account="up 0%, idle 40%", above_pct=9.0, over_bound_pct=30.0)])
    assert (found["cells"], found["not_above"], found["max_over_bound_pct"]) == (1, 1, 4.0)
    assert found["worst_under_another_account_pct"] == 9.0
