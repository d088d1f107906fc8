"""Sweep plans: which jobs they come to, and what is said of plans that mean nothing."""

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.sweep import SweepPlan, load_sweep
from edgekit.sweep.jobs import run_job
from edgekit.training import load_recipe_file
from runtime.errors import DataError
from tests.edgekit.user_net import write_user_net

RECIPE = {"model": "resnet20", "data": "digits", "prune": {"round-to": 4}}
PLAN = SweepPlan(
    recipe=RECIPE,
    out="out",
    grid={"width": [0.25, 0.5], "prune.macs": [0.5]},
    variants={"one-shot": {"prune": {"method": "one-shot"}}, "sfp": {"prune": {"method": "sfp"}, "lr": 0.01}},
    control={"variant": "one-shot"},
    seeds=(3, 4),
)


def test_every_combination_is_trained_with_every_seed():
    jobs = PLAN.jobs()
    assert [(job.row["width"], job.row["variant"], job.seed) for job in jobs] == [
        (width, variant, seed) for width in (0.25, 0.5) for variant in ("one-shot", "sfp") for seed in (3, 4)
    ]
    last = jobs[-1].recipe
    assert last["prune"] == {"round-to": 4, "macs": 0.5, "method": "sfp"}
    assert (last["width"], last["lr"], last["seed"]) == (0.5, 0.01, 4)
    assert RECIPE["prune"] == {"round-to": 4}
    assert len({job.key for job in jobs}) == 8


def test_a_job_is_known_by_what_is_trained_and_not_by_its_plan():
    other = SweepPlan(recipe={**RECIPE, "width": 0.5, "prune": {"macs": 0.5, "method": "sfp", "round-to": 4}},
                      out="elsewhere", variants={"slow": {"lr": 0.01}}, seeds=(4,))  # fmt: skip
    assert other.jobs()[0].key == PLAN.jobs()[-1].key


def test_another_file_of_the_users_is_another_job(tmp_path):
    net = write_user_net(tmp_path)
    plan = SweepPlan(recipe={"model": f"{net}:plain", "data": "digits"}, out="out", seeds=(0,))
    (job,) = plan.jobs()
    assert plan.jobs()[0].key == job.key
    net.write_text(net.read_text() + "\n")
    assert plan.jobs()[0].key != job.key
    assert "has changed since" in run_job(job.recipe, str(tmp_path / "job")).error


def test_the_control_differs_in_what_it_names_alone():
    row = PLAN.jobs()[-1].row
    assert PLAN.control_of(row) == {**row, "variant": "one-shot"}
    assert PLAN.control_of(PLAN.jobs()[0].row) is None


def test_a_plan_names_a_recipe_file_and_lies_where_its_results_go(tmp_path):
    (tmp_path / "plan.yaml").write_text("recipe: digits-small.yaml\ngrid: {lr: [0.1]}\nseeds: [0]\n")
    plan = load_sweep(tmp_path / "plan.yaml")
    (job,) = plan.jobs()
    assert (job.recipe["model"], job.recipe["lr"]) == (load_recipe_file("digits-small.yaml").model, 0.1)
    assert plan.out == str(tmp_path / "plan-results")
    (tmp_path / "digits-small.yaml").write_text("model: mobilenet_v2\ndata: digits\n")
    assert load_sweep(tmp_path / "plan.yaml").recipe["model"] == "mobilenet_v2"  # the one beside it


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("recipe: {model: resnet20, data: digits}\ngrit: {}", "unknown key 'grit'; did you mean 'grid'"),
        ("recipe: {model: resnet20, data: digits}\nseeds: []", "need values, each once"),
        ("recipe: {model: resnet20, data: digits}\nseeds: [1, 1]", "need values, each once"),
        ("recipe: {model: resnet20, data: digits}\ngrid: {lr: []}", "need values, each once"),
        ("recipe: {model: resnet20, data: digits}\nworkers: 0", "workers is 0"),
        ("recipe: {model: resnet20, data: digits}\ngrid: {lt: [1]}", "row lt 1 has an unknown key 'lt'"),
        ("recipe: {model: resnet20, data: digits}\nvariants: {x: {epochs: 0}}", "epochs is 0"),
        ("recipe: {model: resnet20, data: digits}\ngrid: {prune.macs: [all]}", "'all' is no amount"),
        ("recipe: {model: resnet20, data: digits}\ncontrol: {lr: 1}", "control has lr: 1, which no row has"),
        ("recipe: nowhere.yaml", "there is no recipe file nowhere.yaml"),
        ("grid: {lr: [1]}", "recipe"),
        ("recipe: 3", "Expected `object`"),
    ],
)
def test_a_plan_that_means_nothing_is_refused_before_anything_is_trained(tmp_path, text, message):
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises((ValueError, DataError)) as caught:
        load_sweep(path)
    assert message in str(caught.value)
    result = CliRunner().invoke(cli, ["sweep", str(path)])
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plan.yaml"]
