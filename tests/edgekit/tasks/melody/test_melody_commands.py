"""Melody by command: trained, refused, exported, scored as a whole flow, run."""

import json
import math

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.data import load_dataset
from edgekit.export.quantize.data import evenly
from edgekit.tasks.melody import Melody
from edgekit.training import evaluate, load_checkpoint, load_recipe_file
from tests.once import make_once

SMALL = ("--task", "melody:width=16", "--data", "drawn-tunes", "--limit", 64, "--batch-size", 16)
HOW = ("--epochs", 2, "--optimizer", "adamw", "--lr", "0.01", "--device", "cpu", "--use", "clip")


def invoke(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    def make(folder):
        shown = invoke("train", *SMALL, *HOW, "-o", folder / "run")
        assert shown.exit_code == 0, shown.output

    return make_once(tmp_path_factory, "melody-run", make) / "run"


def test_it_is_trained_without_a_model_and_learns_its_rhythms_from_the_data(run):
    checkpoint = load_checkpoint(run)
    task = checkpoint.make_task()
    assert isinstance(task, Melody)
    assert (task.width, len(task.bars[0]), len(task.beats[0])) == (16, 16, 4)
    assert (checkpoint.spec.name, checkpoint.image) == ("none", None)
    net, data = checkpoint.build(), load_dataset("drawn-tunes")
    assert evaluate(net, data.test, task=task) == checkpoint.metrics["test_likelihood"]
    first, last = (json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines())
    assert last["train_loss"] < first["train_loss"]
    assert {f"train_loss_{level}" for level in ("bar", "beat", "note")} <= set(last)


def test_it_is_resumed_with_the_same_rhythms(run):
    again = invoke("train", *SMALL, *HOW, "-o", run, "--resume")
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "resnet20", *SMALL), "melody brings all of its network and has no place for resnet20"),
        (("train", *SMALL, "--width", "0.5"), "width=0.5 is for edgekit's models, and there is none"),
        (("train", *SMALL, "--prune", "sfp", "--macs", "50%"), "pruning removes channels of a model"),
        (("train", "--data", "digits"), "classification needs a model"),
        (("train", "--task", "melody", "--data", "digits"), "holds no tunes"),
        (("train", "--task", "melody"), "Missing option '--data'"),
    ],
)
def test_what_does_not_fit_is_told_before_training(tmp_path, arguments, message):
    shown = invoke(*arguments, "-o", tmp_path / "x")
    assert shown.exit_code in (1, 2)
    assert message in " ".join(shown.output.split())
    assert isinstance(shown.exception, SystemExit)
    assert not (tmp_path / "x").exists()


def test_what_needs_pictures_is_refused(run, tmp_path):
    for command in (("prune", run), ("prune", run, "--scan"), ("export", run, "--inputs", tmp_path)):
        shown = invoke(*command, "-o", tmp_path / "x")
        assert shown.exit_code in (1, 2), shown.output
        assert "takes no pictures" in " ".join(shown.output.split())


def test_the_recipe_file_that_comes_along(run):
    file = load_recipe_file("melody.yaml")
    assert (file.model, file.data, file.task) == ("none", "tunes", Melody(width=104))


@pytest.mark.slow  # six files are exported
def test_the_exported_steps_score_as_the_network_does(run, tmp_path):
    bundle = tmp_path / "tunes.edgekit"
    precisions = ("--precision", "fp32", "--precision", "dynamic_wi8_afp32")
    shown = invoke("export", run, "-o", bundle, "--engine", "litert", *precisions)
    assert shown.exit_code == 0, shown.output
    found = invoke("evaluate", bundle, "--limit", 6, "--json")
    assert found.exit_code == 0, found.output
    exact, int8 = json.loads(found.stdout)
    assert (exact["variant"], exact["metric"], exact["n_examples"]) == ("flow:litert-fp32", "likelihood", 6)
    assert int8["variant"] == "flow:litert-dynamic_wi8_afp32"
    assert int8["drop"] == pytest.approx(exact["score"] - int8["score"])
    assert math.log(int8["score"]) == pytest.approx(math.log(exact["score"]), rel=0.05)

    checkpoint, data = load_checkpoint(run), load_dataset("drawn-tunes")
    chosen = data.test.part(evenly(len(data.test), 6))
    score = evaluate(checkpoint.build(), chosen, task=checkpoint.make_task())
    assert exact["score"] == pytest.approx(score, rel=1e-4)

    mix = "note=litert-dynamic_wi8_afp32,bar=litert-fp32,beat=litert-fp32"
    (mixed,) = json.loads(invoke("evaluate", bundle, "--limit", 6, "--variant", mix, "--json").stdout)
    assert mixed["variant"] == "flow:" + ",".join(sorted(mix.split(",")))
    assert (mixed["drop"], mixed["score"] not in (exact["score"], int8["score"])) == (None, True)

    alone = invoke("evaluate", bundle, "--variant", "note-litert-fp32")
    assert alone.exit_code == 2
    assert "scored on its whole flow; choose from flow:litert-fp32" in " ".join(alone.output.split())
    pictures = invoke("evaluate", bundle, "--data", "digits")
    assert pictures.exit_code == 1
    assert "holds no tunes" in pictures.output
