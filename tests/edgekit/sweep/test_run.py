"""Running sweeps: what is done is done, what is new is trained, and the table is of all."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import msgspec
import psutil
import pytest
import torch
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.pruning import train_by_file
from edgekit.sweep import JobResult, SweepPlan, run_sweep
from edgekit.sweep.run import folder_of, run_here
from edgekit.sweep.table import interval, verdict
from edgekit.training import Hook, load_checkpoint
from edgekit.training.recipe_file import read_recipe
from runtime.errors import CheckpointError
from tests.places import ROOT

TINY = {"model": "resnet20", "data": "digits", "image_size": 8, "width": 0.1, "epochs": 1, "device": "cpu"}


@pytest.fixture
def plan(tmp_path):
    return SweepPlan(
        recipe=TINY, out=str(tmp_path / "out"), grid={"lr": [0.01, 0.1]}, control={"lr": 0.01}, seeds=(0, 1)
    )


def fake(scores):
    """Return an executor whose jobs come to ``scores[lr][seed]``, and a list of those it ran."""
    ran = []

    def execute(plan, jobs):
        for job in jobs:
            ran.append((job.row["lr"], job.seed))
            score = scores[job.row["lr"]][job.seed]
            if isinstance(score, str):
                yield job, JobResult(error=score)
                continue
            result = JobResult({"test_top1": score, "macs": 10.0, "params": 5.0}, 1.0)
            folder = folder_of(plan, job)
            folder.mkdir(parents=True)
            (folder / "result.json").write_bytes(msgspec.json.encode(result))
            yield job, result

    return execute, ran


def test_the_table_has_means_deviations_and_paired_differences(plan):
    execute, _ = fake({0.01: [0.5, 0.7], 0.1: [0.6, 0.82]})
    result = run_sweep(plan, execute)
    control, row = result.rows
    assert (control.mean, control.sd) == (pytest.approx(0.6), pytest.approx(0.02**0.5))
    assert control.difference is None
    assert control.verdict is None
    assert row.difference == pytest.approx(0.11)
    assert row.half_width == pytest.approx(
        12.706 * 0.01, rel=1e-3
    )  # t of one degree of freedom; sd / sqrt(2)
    assert row.verdict == "no difference shown"
    assert result.is_complete
    stored = msgspec.json.decode(result.summary_path.read_bytes())
    assert stored["rows"][1]["difference"] == row.difference


@pytest.mark.parametrize(
    ("differences", "said"),
    [
        ([0.1, 0.11, 0.1], "better"),
        ([-0.1, -0.11, -0.1], "worse"),
        ([0.1, -0.1, 0.02], "no difference shown"),
    ],
)
def test_a_verdict_needs_an_interval_without_zero(differences, said):
    assert verdict(sum(differences) / 3, interval(differences)) == said


def test_finished_jobs_are_not_repeated_and_a_changed_plan_runs_what_is_new(plan):
    execute, ran = fake({lr: [0.5, 0.6, 0.7] for lr in (0.01, 0.1, 0.2)})
    run_sweep(plan, execute)
    assert len(ran) == 4
    ran.clear()
    assert run_sweep(plan, execute).is_complete
    assert ran == []
    wider = replace(plan, grid={"lr": [0.1, 0.01, 0.2]}, seeds=(1, 2))
    assert len(run_sweep(wider, execute).rows) == 3
    assert sorted(ran) == [(0.01, 2), (0.1, 2), (0.2, 1), (0.2, 2)]


def test_a_failed_job_is_named_and_tried_again(plan):
    scores = {0.01: [0.5, 0.6], 0.1: [0.7, "the loss is nan"]}
    execute, ran = fake(scores)
    result = run_sweep(plan, execute)
    assert not result.is_complete
    assert (result.rows[1].n_done, result.rows[1].errors) == (1, ("the loss is nan",))
    assert result.rows[1].difference == pytest.approx(0.2)  # of the seed that both have
    ran.clear()
    scores[0.1][1] = 0.9
    assert run_sweep(plan, execute).is_complete
    assert ran == [(0.1, 1)]


def test_an_unknown_metric_names_those_there_are(plan):
    execute, _ = fake({0.01: [0.5, 0.7], 0.1: [0.6, 0.8]})
    with pytest.raises(
        ValueError, match="metric is 'top5', which no job has; choose from macs, params, test_top1"
    ):
        run_sweep(replace(plan, metric="top5"), execute)


def test_jobs_are_trained_and_a_killed_one_goes_on(tmp_path, monkeypatch):
    plan = SweepPlan(recipe={**TINY, "epochs": 2}, out=str(tmp_path / "out"), seeds=(0,))

    class Kill(Hook):
        def on_epoch_begin(self, run):
            if run.epoch == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr("edgekit.training.run.own_hooks", lambda recipe: [Kill()])
    assert run_sweep(plan, run_here).was_interrupted
    monkeypatch.setattr("edgekit.training.run.own_hooks", lambda recipe: [Hook()])
    result = run_sweep(plan, run_here)
    (row,) = result.rows
    assert result.is_complete
    assert row.mean > 0.1
    assert row.macs > 1e4
    (metrics,) = (tmp_path / "out" / "jobs").glob("*/run/metrics.jsonl")
    assert len(metrics.read_bytes().splitlines()) == 2


def test_every_seed_starts_from_its_own_checkpoint(tmp_path):
    recipe = {**TINY, "init": str(tmp_path / "dense-{seed}"), "prune": {"method": "one-shot", "round-to": 2}}
    plan = SweepPlan(recipe=recipe, out=str(tmp_path / "out"), seeds=(0, 1))
    with pytest.raises(CheckpointError, match="dense-0 is not a checkpoint"):
        plan.jobs()
    for seed in (0, 1):
        train_by_file(
            read_recipe({**TINY, "seed": seed}, "dense"), tmp_path / f"dense-{seed}", progress=False
        )
    result = run_sweep(plan, run_here)
    assert result.is_complete, result.rows[0].errors
    sources = [load_checkpoint(folder_of(plan, job) / "run").pruning["source_sha256"] for job in plan.jobs()]
    assert sources == [load_checkpoint(tmp_path / f"dense-{seed}").sha256 for seed in (0, 1)]
    keys = [job.key for job in plan.jobs()]
    train_by_file(read_recipe({**TINY, "lr": 0.2}, "dense"), tmp_path / "other", progress=False)
    (tmp_path / "dense-0").rename(tmp_path / "gone")
    (tmp_path / "other").rename(tmp_path / "dense-0")
    assert [job.key == key for job, key in zip(plan.jobs(), keys, strict=True)] == [False, True]


def test_a_network_to_start_from_is_trained_on_or_refused_by_name(tmp_path):
    dense = train_by_file(read_recipe(TINY, "dense"), tmp_path / "dense", progress=False)
    on = {**TINY, "init": str(dense.path), "lr": 1e-9}
    same = train_by_file(read_recipe(on, "on"), tmp_path / "on", progress=False)
    torch.testing.assert_close(
        same.build().stem.conv.weight, dense.build().stem.conv.weight, atol=1e-5, rtol=0
    )
    other = read_recipe({**on, "width": 0.2, "prune": {"rate": 0.5}}, "other")
    with pytest.raises(CheckpointError, match=r"has width 0\.1, asked is width 0\.2"):
        train_by_file(other, tmp_path / "no", progress=False)


def test_what_cannot_be_trained_is_a_result_and_no_end_of_the_sweep(tmp_path):
    plan = SweepPlan(recipe=TINY, out=str(tmp_path / "out"), grid={"data_root": ["nowhere"]}, seeds=(0,))
    plan = replace(plan, recipe={**TINY, "data": "folder"})
    result = run_sweep(plan, run_here)
    assert not result.is_complete
    assert "there is no folder nowhere" in result.rows[0].errors[0]


def test_the_command_prints_jobs_and_table(tmp_path, monkeypatch):
    path = tmp_path / "plan.yaml"
    path.write_text(f"recipe: {msgspec.json.encode(TINY).decode()}\ngrid: {{lr: [0.01, 0.1]}}\n"
                    "control: {lr: 0.01}\nseeds: [0, 1]\n")  # fmt: skip
    dry = CliRunner().invoke(cli, ["sweep", str(path), "--dry-run"])
    assert dry.exit_code == 0
    assert len(dry.stdout.splitlines()) == 6
    execute, _ = fake({0.01: [0.5, 0.7], 0.1: [0.6, 0.82]})
    monkeypatch.setattr("edgekit.sweep.run._on_ray", execute)
    shown = CliRunner().invoke(cli, ["sweep", str(path)])
    assert shown.exit_code == 0, shown.output
    assert "0.1100" in shown.stdout
    assert "no difference shown" in shown.stdout


@pytest.mark.slow
def test_a_sweep_that_is_killed_goes_on_on_ray(tmp_path):
    pytest.importorskip("ray", reason="pip install -e '.[lab]'")
    path = tmp_path / "plan.yaml"
    recipe = msgspec.json.encode({**TINY, "epochs": 6}).decode()
    path.write_text(f"recipe: {recipe}\nseeds: [0, 1]\nworkers: 1\nout: out\n")
    command = [sys.executable, "-m", "edgekit", "sweep", str(path)]
    first = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    deadline = time.monotonic() + 240
    while not any((tmp_path / "out").glob("jobs/*/run/metrics.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.5)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    logs = list((tmp_path / "out").glob("jobs/*/run/metrics.jsonl"))
    assert [len(log.read_bytes().splitlines()) for log in logs] == [6, 6]


@pytest.mark.slow
def test_a_job_whose_process_is_killed_is_begun_again_and_told_and_the_others_finish(tmp_path):
    pytest.importorskip("ray", reason="pip install -e '.[lab]'")
    path = tmp_path / "plan.yaml"
    recipe = msgspec.json.encode({**TINY, "epochs": 6}).decode()
    path.write_text(f"recipe: {recipe}\nseeds: [0, 1, 2]\nworkers: 1\nout: out\n")
    command = [sys.executable, "-m", "edgekit", "sweep", str(path)]
    with (tmp_path / "log").open("wb") as log:
        sweep = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + 240
        while not any((tmp_path / "out").glob("jobs/*/run/metrics.jsonl")) and time.monotonic() < deadline:
            time.sleep(0.1)
        for process in psutil.Process(sweep.pid).children(recursive=True):
            if process.cmdline()[:1] == ["ray::_remote"]:
                process.kill()
        assert sweep.wait(400) == 0, (tmp_path / "log").read_text()
    told = (tmp_path / "log").read_text()
    assert told.count(", after it was stopped") == 1, told
    assert "Traceback" not in told
    results = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").glob("jobs/*/result.json")}
    assert len(results) == 3
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    assert {file: file.stat().st_mtime_ns for file in results} == results
