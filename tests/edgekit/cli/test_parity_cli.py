import json

import numpy as np
import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.export import export_bundle, find_origin
from runtime.bundle import Bundle

FILE = """
import torch
from torch import nn

def make():
    first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
    return nn.Sequential(first, nn.Conv2d(8, 4, 1), nn.Flatten(), nn.Linear(144, 5)), torch.rand(1, 3, 6, 6)
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parity-cli")
    (folder / "mine.py").write_text(FILE)
    origin = find_origin(f"{folder}/mine.py:make")
    bundle = export_bundle(origin, folder / "mine.edgekit", engines=["litert"])
    return bundle, f"{folder}/mine.py:make", origin.graphs["forward"].model


def parity(*words):
    return CliRunner().invoke(cli, ["parity", *map(str, words)])


def test_outputs_are_compared_again(exported):
    bundle, model, _ = exported
    shown = parity(bundle.path, "--model", model)
    assert shown.exit_code == 0, shown.output
    assert "litert-fp32  output" in shown.stdout
    assert "layers of" not in shown.stdout


def test_layers_of_a_right_file(exported):
    bundle, model, _ = exported
    shown = parity(bundle.path, "--model", model, "--layers")
    assert shown.exit_code == 0, shown.output
    assert "0.0" in shown.stdout
    assert "after 0.1" in shown.stdout
    assert "no layer goes wrong (below 60 dB)" in shown.stdout


def test_a_changed_weight_is_found_and_exits_with_3(exported, tmp_path):
    bundle, model, network = exported
    variant = bundle.manifest.variant()
    data = bundle.file(variant.path).read_bytes()
    weight = network[1].weight.detach().permute(0, 2, 3, 1).contiguous().numpy().tobytes()
    assert data.count(weight) == 1
    changed = data.replace(weight, np.float32(9).tobytes() + weight[4:])
    broken = bundle.add(variant.path, changed, "model")
    try:
        shown = parity(broken.path, "--model", model, "--layers")
        told = json.loads(parity(broken.path, "--model", model, "--layers", "--json").stdout)
    finally:
        Bundle.open(bundle.path).add(variant.path, data, "model")
    assert shown.exit_code == 3
    assert "first layer that goes wrong: 1 (below 60 dB)" in shown.stdout
    assert "litert-fp32 differs from the eager model" in shown.stderr
    assert told[0]["layers"]["first_wrong"] == "1"


def test_a_model_that_cannot_be_found_is_a_usage_error(exported):
    bundle, _, _ = exported
    shown = parity(bundle.path, "--model", "mobilnet_v2")
    assert shown.exit_code == 2
    assert "did you mean mobilenet_v2" in shown.stderr
