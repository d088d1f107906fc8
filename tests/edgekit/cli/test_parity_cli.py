import json

import numpy as np
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.export import export_bundle, find_origin
from tests.places import SMALL_NET


def parity(bundle, *words):
    words = (str(bundle.path), "--variant", "litert-fp32", *words)
    return CliRunner().invoke(cli, ["parity", *words])


def test_outputs_are_compared_again(small_net):
    shown = parity(small_net.bundle, "--model", SMALL_NET)
    assert shown.exit_code == 0, shown.output
    assert "litert-fp32  output" in shown.stdout
    assert "layers of" not in shown.stdout


def test_layers_of_a_right_file(small_net):
    shown = parity(small_net.bundle, "--model", SMALL_NET, "--layers")
    assert shown.exit_code == 0, shown.output
    assert "depthwise.conv" in shown.stdout
    assert "after depthwise.act" in shown.stdout
    assert "no layer goes wrong (below 60 dB)" in shown.stdout


CHAIN = """
import torch
from torch import nn

def make():
    first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
    return nn.Sequential(first, nn.Conv2d(8, 4, 1), nn.Flatten(), nn.Linear(144, 5)), torch.rand(1, 3, 6, 6)
"""


def test_a_changed_weight_is_found_and_exits_with_3(tmp_path):
    (tmp_path / "mine.py").write_text(CHAIN)
    model = f"{tmp_path}/mine.py:make"
    origin = find_origin(model)
    bundle = export_bundle(origin, tmp_path / "mine.edgekit", engines=["litert"])
    variant = bundle.manifest.variant()
    data = bundle.file(variant.path).read_bytes()
    second = origin.graphs["forward"].model[1].weight.detach()
    weight = second.permute(0, 2, 3, 1).contiguous().numpy().tobytes()
    assert data.count(weight) == 1
    broken = bundle.add(variant.path, data.replace(weight, np.float32(9).tobytes() + weight[4:]), "model")
    shown = parity(broken, "--model", model, "--layers")
    told = json.loads(parity(broken, "--model", model, "--layers", "--json").stdout)
    assert shown.exit_code == 3
    assert "first layer that goes wrong: 1 (below 60 dB)" in shown.stdout
    assert "litert-fp32 differs from the eager model" in shown.stderr
    assert told[0]["layers"]["first_wrong"] == "1"


def test_a_model_that_cannot_be_found_is_a_usage_error(small_net):
    shown = parity(small_net.bundle, "--model", "mobilnet_v2")
    assert shown.exit_code == 2
    assert "did you mean mobilenet_v2" in shown.stderr
