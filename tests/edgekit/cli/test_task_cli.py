"""A task by its name: listed, trained by command and by recipe file, pruned, exported, scored and run."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from edgekit.cli import cli
from edgekit.data import load_dataset
from edgekit.data.faces import toy_portraits
from edgekit.sweep.plan import load_sweep
from edgekit.tasks import FaceParsing
from edgekit.training import evaluate, load_checkpoint, load_recipe_file
from runtime.bundle.prestep import BoxCrop

CROP = "face-parsing:roi=crop,margin=1.5,channels=8"
SMALL = ("--width", 0.25, "--image-size", 32, "--batch-size", 16, "--device", "cpu")


def invoke(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def train(out, *more, data="toy-faces", limit=32):
    limited = ("--limit", limit, "--epochs", 1) if limit else ("--epochs", 1)
    return invoke("train", "resnet18", "--data", data, *SMALL, *limited, "-o", out, *more)


def test_tasks_are_listed_with_what_goes_in_and_comes_out():
    shown = invoke("tasks", "face*")
    assert shown.exit_code == 0, shown.output
    assert all(word in shown.output for word in ("face-parsing", "a picture and a box", "a mask", "miou"))
    (found,) = json.loads(invoke("tasks", "face*", "--json").stdout)
    assert found["paper"] == "https://arxiv.org/abs/1906.01342"
    assert found["minutes"] > 0
    assert found["options"] == {"channels": 32, "roi": "tanh", "margin": 2.0}
    assert {one["name"] for one in json.loads(invoke("tasks", "--json").stdout)} >= {
        "classification",
        "face-parsing",
        "melody",
    }
    assert invoke("tasks", "x*").exit_code == 2


def test_a_task_is_trained_on_its_own_view_of_the_data(tmp_path):
    shown = train(tmp_path / "run", "--task", CROP)
    assert shown.exit_code == 0, shown.output
    checkpoint = load_checkpoint(tmp_path / "run")
    task = FaceParsing(channels=8, roi="crop", margin=1.5)
    assert checkpoint.make_task() == task
    data = load_dataset("toy-faces", image_size=32)
    assert (data.pre, task.view(data).pre) == (FaceParsing().pre, BoxCrop(margin=1.5))
    network = checkpoint.build()
    assert evaluate(network, task.view(data).test, task=task) == checkpoint.metrics["test_miou"]
    assert "test_miou" in shown.output
    again = train(tmp_path / "run", "--task", CROP.replace("1.5", "3"), "--resume")
    assert again.exit_code == 1
    assert "holds a run with task" in again.output


@pytest.mark.parametrize(
    ("data", "task", "code", "message"),
    [
        ("digits", "face-parsing", 1, "does not tell the box"),
        ("toy-faces", "classification", 1, "a classifier learns one label per image"),
        ("digits", "melody", 1, "holds no tunes"),
        ("toy-faces", "face-parsing:rio=crop", 2, "did you mean roi?"),
        ("toy-faces", "face-parsing:roi=circle", 2, "tanh, crop, whole"),
        ("toy-faces", "face-parsing:margin=wide", 2, "margin is 'wide'"),
        ("toy-faces", "face-parsing:channels=0", 2, "channels is 0"),
        ("toy-faces", "face-parsing:crop", 2, "NAME:OPTION=VALUE"),
        ("digits", "classification:label-smoothing=0.2", 2, "is the recipe's; write --label-smoothing"),
        ("toy-faces", "face-parser", 2, "did you mean face-parsing"),
    ],
)
def test_what_does_not_fit_is_told_before_training(tmp_path, data, task, code, message):
    shown = train(tmp_path / "run", "--task", task, data=data, limit=None)
    assert shown.exit_code == code, shown.output
    assert message in " ".join(shown.output.split())
    assert not (tmp_path / "run").exists()


def test_a_recipe_file_names_the_task_in_the_same_words(tmp_path):
    path = tmp_path / "faces.yaml"
    path.write_text(f"model: resnet18\ndata: toy-faces\ntask: {CROP}\nepochs: 1\n")
    assert load_recipe_file(path).task == FaceParsing(channels=8, roi="crop", margin=1.5)
    path.write_text("model: resnet18\ndata: toy-faces\ntask: {face-parsing: {roi: crop}}\n")
    with pytest.raises(ValueError, match="write it in one line"):
        load_recipe_file(path)


def test_a_sweep_compares_tasks_by_their_own_score(tmp_path):
    plan = tmp_path / "plan.yaml"
    recipe = "recipe: {model: resnet18, data: toy-faces}\ngrid:\n  task: [%s]\n"
    plan.write_text(recipe % "face-parsing, 'face-parsing:roi=whole'")
    assert load_sweep(plan).metric == "test_miou"
    plan.write_text(recipe % "face-parsing, classification")
    with pytest.raises(ValueError, match="miou, top1"):
        load_sweep(plan)


@pytest.mark.slow  # exports a network for both engines
def test_a_parser_goes_from_training_to_a_picture_by_commands(tmp_path):
    assert train(tmp_path / "run", "--task", CROP, limit=None).exit_code == 0
    pruned = invoke(
        "prune",
        tmp_path / "run",
        "--rate",
        0.3,
        "--epochs",
        1,
        "--finetune-epochs",
        1,
        "-o",
        tmp_path / "small",
    )
    assert pruned.exit_code == 0, pruned.output
    assert "test miou" in pruned.output
    bundle = tmp_path / "small.edgekit"
    shown = invoke(
        "export", tmp_path / "small", "-o", bundle, "--precision", "fp32", "--precision", "static_wi8_ai8"
    )
    assert shown.exit_code == 0, shown.output

    scores = json.loads(invoke("evaluate", bundle, "--json").stdout)
    assert {(one["metric"], one["dataset"], one["n_examples"]) for one in scores} == {
        ("miou", "toy-faces", 32)
    }
    eager = load_checkpoint(tmp_path / "small").metrics["test_miou"]
    by = {one["variant"]: one for one in scores}
    assert by["litert-fp32"]["score"] == pytest.approx(eager, abs=2e-3)
    assert by["executorch-fp32"]["score"] == pytest.approx(eager, abs=2e-3)
    lost = by["litert-static_wi8_ai8"]
    assert lost["drop"] == pytest.approx(by["litert-fp32"]["score"] - lost["score"])

    portrait = toy_portraits(1, training=False)[0]
    Image.fromarray(portrait.picture).save(tmp_path / "face.png")
    box = ",".join(f"{edge:.1f}" for edge in portrait.box)
    mask = tmp_path / "face.mask.png"
    done = invoke("run", bundle, "--input", tmp_path / "face.png", f"--box={box}", "-o", mask)
    assert done.exit_code == 0, done.output
    assert np.asarray(Image.open(mask)).shape == portrait.labels.shape
