"""Exported files scored on a dataset: as the eager model, in the bundle's order of classes."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import edgekit
from edgekit.cli import cli
from edgekit.data import DATASETS
from edgekit.training import evaluate
from runtime.bundle import Bundle

MEAN, STD = (0.25,), (0.5,)  # not the dataset's own


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A classifier of the toy images whose classes are numbered the other way round, and one class more."""
    torch.manual_seed(0)
    below = torch.linspace(-1, 1, 64)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with torch.no_grad():
        net[1].weight.copy_(torch.stack([below, -below * 0, -below]))
        net[1].bias.copy_(torch.tensor([0.3, -9.0, 0.0]))  # some are wrong
    preprocess = edgekit.Preprocess(mean=MEAN, std=STD, size=8, labels=["below", "none", "above"])
    out = tmp_path_factory.mktemp("scores") / "toy.edgekit"
    return edgekit.export(net, torch.zeros(1, 1, 8, 8), out, engines=["litert"], preprocess=preprocess), net


@pytest.fixture
def toy(toy_data):
    DATASETS.register("toy")(lambda root, size: toy_data)
    DATASETS.register("other")(lambda root, size: replace(toy_data, labels=["above", "beside"]))
    yield toy_data
    del DATASETS._entries["toy"], DATASETS._entries["other"]


def invoke(*arguments):
    return CliRunner().invoke(cli, ["evaluate", *map(str, arguments)])


def test_the_score_is_that_of_the_model_on_the_bundles_own_pixels(bundle, toy):
    made, net = bundle
    shown = invoke(made.path, "--data", "toy", "--json")
    assert shown.exit_code == 0, shown.output
    (score,) = json.loads(shown.stdout)
    image = made.manifest.graphs["forward"].inputs[0].image
    seen = replace(toy.test, image=image, labels=np.where(toy.test.labels == 0, 2, 0))
    assert score["score"] == evaluate(net, seen)
    assert 0.5 <= score["score"] <= 1
    assert (score["metric"], score["n_examples"], score["drop"]) == ("top1", 32, None)
    table = invoke(made.path, "--data", "toy", "--limit", 7)
    assert "7 test examples of toy" in table.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "name data with --data"),
        (("--data", "other"), "'beside'"),
        (("--data", "digit"), "did you mean digits"),
        (("--data", "cifar11"), "cifar10"),
        (("--data", "toy", "--variant", "litert-int4"), "litert-fp32"),
        (("--data", "toy", "--target", "virtual:gs101"), "no results of its own"),
    ],
)
def test_what_cannot_be_scored_is_told(bundle, toy, options, message):
    shown = invoke(bundle[0].path, *options)
    assert shown.exit_code in (1, 2)
    assert message in " ".join(shown.output.split())


def test_a_task_that_is_not_installed_is_told(bundle, toy, tmp_path):
    path = Path(shutil.copytree(bundle[0].path, tmp_path / "toy.edgekit")) / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["source"]["task"] = {"name": "depth", "options": {}}
    path.write_text(json.dumps(manifest))
    Bundle.open(path.parent)  # it opens: only its score needs the task
    shown = invoke(path.parent, "--data", "toy")
    assert shown.exit_code == 1
    assert "unknown task 'depth'" in shown.output
    assert "install its package" in shown.output
