import json
from importlib import import_module

import pytest
from click.testing import CliRunner

from tests.benchmarks.policy import main

SOC = """
name: toy
clusters:
- {name: little, core: cortex-a55, cpus: [0, 1], capacity_dmips_mhz: 512,
   opps: [{khz: 500000, power_mw: 20}, {khz: 1000000, power_mw: 60}]}
- {name: big, core: cortex-a76, cpus: [2, 3], capacity_dmips_mhz: 1024,
   opps: [{khz: 500000, power_mw: 90}, {khz: 1000000, power_mw: 220}, {khz: 2000000, power_mw: 1000}]}
"""
KEYS = {
    "energy_saved_vs_interactive_pct",
    "energy_saved_vs_ebs_pct",
    "qos_violation_pct",
    "oracle_violation_pct",
    "interactive_violation_pct",
    "oracle_share_pct",
}


@pytest.fixture
def soc(tmp_path):
    pytest.importorskip("yaml")
    path = tmp_path / "toy_measured.yaml"
    path.write_text(SOC)
    return str(path)


def test_a_soc_never_seen_before_is_simulated_and_labelled_modelled(soc, tmp_path):
    out = tmp_path / "out.json"
    ran = CliRunner().invoke(
        main, ["--soc", soc, "--seeds", "2", "--seconds", "2", "--one-price", "--json", str(out)]
    )
    assert ran.exit_code == 0, ran.output
    report = json.loads(out.read_text())
    assert report["name"] == "policy"
    assert report["summary"].keys() >= KEYS
    assert report["summary"]["strict"].keys() >= KEYS
    assert report["summary"]["half_rate_saved_pct"] > 36
    assert {row["provenance"] for row in report["rows"]} == {"modelled"}
    assert {row["governor"] for row in report["rows"]} >= {
        "performance", "powersave", "ondemand", "conservative", "interactive", "schedutil", "eas", "ebs",
        "oracle", "oracle, own period", "policy", "ztt",
    }  # fmt: skip


def test_a_trace_replaces_the_standard_workload(soc, tmp_path):
    trace = tmp_path / "trace.csv"
    trace.write_text("arrival_ms,work_megacycles\n" + "".join(f"{20 * i},{8 + i % 5}\n" for i in range(50)))
    out = tmp_path / "out.json"
    ran = CliRunner().invoke(main, ["--soc", soc, "--trace", str(trace), "--one-price", "--json", str(out)])
    assert ran.exit_code == 0, ran.output
    assert {row["count"] for row in json.loads(out.read_text())["rows"]} == {50}


def test_a_bad_trace_is_one_line(soc, tmp_path):
    trace = tmp_path / "trace.csv"
    trace.write_text("x\n")
    ran = CliRunner().invoke(main, ["--soc", soc, "--trace", str(trace)])
    assert ran.exit_code == 1
    assert "Traceback" not in ran.output
    assert "trace.csv" in ran.output


@pytest.mark.parametrize("benchmark", ["policy", "power_model", "energy_truth.__main__"])
def test_a_soc_that_nobody_knows_is_one_clear_line(benchmark):
    ran = CliRunner().invoke(import_module(f"tests.benchmarks.{benchmark}").main, ["--soc", "nix"])
    assert ran.exit_code == 1
    assert "unknown SoC 'nix'" in ran.output
    assert isinstance(ran.exception, SystemExit)
