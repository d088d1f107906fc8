import json
import shutil

import numpy as np
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.bundle import Bundle
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


def test_a_changed_weight_is_found_and_exits_with_3(small_net, tmp_path):
    broken = Bundle.open(shutil.copytree(small_net.bundle.path, tmp_path / "broken.edgekit"))
    variant = broken.manifest.variant("litert-fp32")
    data = broken.file(variant.path).read_bytes()
    weight = small_net.origin.graphs["forward"].model.linear.weight.detach().numpy().tobytes()
    assert data.count(weight) == 1
    broken = broken.add(variant.path, data.replace(weight, np.float32(9).tobytes() + weight[4:]), "model")
    shown = parity(broken, "--model", SMALL_NET, "--layers")
    told = json.loads(parity(broken, "--model", SMALL_NET, "--layers", "--json").stdout)
    assert shown.exit_code == 3
    assert "first layer that goes wrong: linear (below 60 dB)" in shown.stdout
    assert "litert-fp32 differs from the eager model" in shown.stderr
    assert told[0]["layers"]["first_wrong"] == "linear"


def test_a_model_that_cannot_be_found_is_a_usage_error(small_net):
    shown = parity(small_net.bundle, "--model", "mobilnet_v2")
    assert shown.exit_code == 2
    assert "did you mean mobilenet_v2" in shown.stderr
