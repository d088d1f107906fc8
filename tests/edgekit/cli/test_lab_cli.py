import json

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.measure.lab import run
from tests.runtime.measure.lab.inline_executor import InlineExecutor
from tests.runtime.phone import make_bundle

pytest.importorskip("yaml", reason="pip install -e '.[lab]'")


@pytest.fixture
def plan(tmp_path, monkeypatch):
    make_bundle(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    # Ray itself: tests/runtime/measure/lab/test_ray_executor.py.
    monkeypatch.setattr(run, "_open_ray", lambda plan: lambda records, targets: InlineExecutor(records))
    path = tmp_path / "plan.yaml"
    path.write_text(
        "targets: ['virtual:gs101', 'virtual:sdm845']\nbundles: [toy.edgekit]\n"
        "settings: {clusters: [big], every: 100}\n"
    )
    return path


def lab(*args):
    return CliRunner().invoke(cli, ["lab", *map(str, args)])


def test_a_dry_run_prints_the_jobs_and_makes_nothing(plan):
    result = lab("run", plan, "--dry-run")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()[2:]]
    assert rows == [[f"virtual:{soc}", "toy.edgekit", "litert-fp32", "0"] for soc in ("gs101", "sdm845")]
    assert not (plan.parent / "plan-results").exists()


def test_a_run_ends_with_a_table_and_status_shows_it_later(plan):
    result = lab("run", plan)
    assert result.exit_code == 0
    row = " ".join(result.stdout.splitlines()[2].split())
    assert row.startswith("virtual:gs101 toy.edgekit litert-fp32 big @ 500 MHz x1")
    assert "in every row: by least mJ" in result.stdout
    assert "virtual:gs101 toy.edgekit litert-fp32 block 0: done" in result.stderr
    assert f"summary: {plan.parent}/plan-results/summary.json" in result.stderr
    shown = lab("status", plan, "--json")
    assert [one["state"] for one in json.loads(shown.stdout)] == ["done", "done"]
    assert lab("status", plan).stdout.splitlines()[2].split() == ["virtual:gs101", "done", "1"]


def test_jobs_that_fail_are_named_and_the_exit_status_says_so(plan):
    plan.write_text(plan.read_text().replace("[big]", "[mid]"))
    result = lab("run", plan)
    assert result.exit_code == 1
    assert "virtual:sdm845 toy.edgekit litert-fp32: failed: sdm845 has no cluster 'mid'" in result.stderr
    assert "run it again to go on" in result.stderr


def test_a_wrong_plan_is_one_line(plan):
    plan.write_text("target: [local]\n")
    result = lab("run", plan)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: plan.yaml is not a lab plan: ")
    assert result.stderr.count("\n") == 1
