"""The pruning table: what it trains, and what it says of results."""

from dataclasses import replace

import pytest

from edgekit.pruning import METHODS, read_pruning
from edgekit.sweep import SweepPlan
from edgekit.sweep.jobs import JobResult
from tests.benchmarks import compression
from tests.benchmarks._compression_plan import FULL, TRAINED, plan_rows, row_names


class Made(compression.Results):
    """Results without jobs: top-1 at the end, and right after the removal, by row and seed."""

    def __init__(self, ends, removed=0.2):
        self.rows = list(ends)
        figures = {"macs": 25.0, "params": 10.0, "removed_top1": 0.1, "reestimated_top1": removed}
        self.done = {
            (row, seed): JobResult({**figures, "test_top1": end}, cpu_s=60.0)
            for row, values in ends.items()
            for seed, end in enumerate(values)
        }


DENSE = {0: JobResult({"macs": 100.0})}


@pytest.fixture
def plan(monkeypatch):
    class Start:
        sha256 = "0"

    monkeypatch.setattr("edgekit.sweep.plan.load_checkpoint", lambda path: Start())
    return lambda tmp_path: plan_rows(FULL, tmp_path, "data", row_names())


def test_every_method_is_a_row_trained_as_long_as_the_others(plan, tmp_path):
    found = plan(tmp_path)
    assert isinstance(found, SweepPlan)
    epochs = {}
    for job in found.jobs():
        name = job.row["variant"]
        assert job.recipe["init"].endswith(f"dense-5000-30/{job.seed}/run")
        if prune := job.recipe.get("prune"):
            how = read_pruning(prune, name)
            epochs[how.method, name] = how.epochs + how.finetune_epochs
    assert {method for method, _ in epochs} == set(METHODS) - {"asfp"}  # another name of psfp
    assert {epochs[key] for key in epochs if key[0] in ("thin", "from-scratch")} == {50}
    assert {epochs[key] for key in epochs if key[0] not in ("thin", "from-scratch")} == {20}


def test_a_slower_network_has_the_rows_that_must_hold_and_what_they_are_held_against(plan, tmp_path):
    size = replace(FULL, network="mobilenet_v2")
    found = plan_rows(size, tmp_path, "data", row_names("mobilenet_v2"))
    assert set(found.variants) == {"one-shot@25", "one-shot-trained@25", "increg@25", "spp@25"}
    assert {(job.recipe["model"], job.recipe["width"]) for job in found.jobs()} == {("mobilenet_v2", 0.5)}


def test_a_row_is_better_only_where_its_interval_excludes_0():
    ends = {
        "one-shot@25": [0.60, 0.62, 0.61],
        "clear@25": [0.62, 0.641, 0.63],
        "scattered@25": [0.60, 0.66, 0.62],
    }
    rows = {row["row"]: row for row in compression.tabulate(Made(ends), DENSE, {})}
    assert rows["clear@25"]["difference_points"] == pytest.approx(2.03, abs=0.01)
    assert rows["clear@25"]["verdict"] == "better"
    assert rows["scattered@25"]["verdict"] == "no difference shown"
    assert rows["one-shot@25"]["verdict"] is None
    assert rows["clear@25"]["mac_ratio"] == 0.25
    summary = compression.summarise(list(rows.values()))
    assert [summary[name]["beats_one_shot"] for name in ends] == [False, True, False]
    shown = compression.printed(rows["clear@25"])
    assert (shown["macs"], shown["cpu_min"]) == ("25.0%", 1.0)


def test_right_after_the_removal_gradual_methods_must_be_above_one_shot():
    results = Made({"increg@25": [0.5], "spp@25": [0.5], f"{TRAINED}@25": [0.5]})
    for row, removed in (("increg@25", 0.30), ("spp@25", 0.25)):
        results.done[row, 0].figures["reestimated_top1"] = removed
    held = {one["row"]: (one["points"], one["holds"]) for one in compression.must_hold(results)}
    assert held == {"increg@25": (10.0, True), "spp@25": (5.0, False)}
