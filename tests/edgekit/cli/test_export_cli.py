import json

import numpy as np
import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.data import load_dataset
from edgekit.models import ModelSpec, build_model
from edgekit.training import save_checkpoint
from tests.places import SMALL_NET


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    digits = load_dataset("digits", image_size=8)
    spec = ModelSpec("resnet20", num_classes=10, width=0.25, image_size=8, in_channels=digits.image.channels)
    folder = tmp_path_factory.mktemp("export-cli") / "net"
    save_checkpoint(
        folder,
        build_model(spec),
        spec=spec,
        dataset="digits",
        image=digits.image,
        labels=tuple(digits.labels),
        recipe={},
        metrics={"test_top1": 0.1},
    )
    return folder


@pytest.fixture(scope="module")
def exported(checkpoint):
    out = checkpoint.parent / "net.edgekit"
    return out, CliRunner().invoke(cli, ["export", str(checkpoint), "--engine", "litert", "-o", str(out)])


def test_export_prints_delegation_and_parity(exported):
    out, result = exported
    assert result.exit_code == 0, result.output
    assert "litert-fp32" in result.stdout
    assert "agreement 100% same top-1" in result.stdout
    assert f"bundle: {out}" in result.stderr


def test_inspect_shows_all_of_a_bundle(exported):
    out, _ = exported
    shown = CliRunner().invoke(cli, ["inspect", str(out)])
    assert shown.exit_code == 0, shown.output
    for words in (
        "1x10",
        "labels: 10 (0, 1, 2, ...)",
        "conv2d",
        "checkpoint.sha256",
        "net_xnnpack_fp32.tflite",
    ):
        assert words in shown.stdout


def test_inspect_json_is_the_manifest(exported):
    out, _ = exported
    shown = CliRunner().invoke(cli, ["inspect", str(out), "--json"])
    assert json.loads(shown.stdout) == json.loads((out / "manifest.json").read_bytes())


def test_inspect_reads_a_bare_tflite_file(exported):
    out, _ = exported
    shown = CliRunner().invoke(cli, ["inspect", str(out / "net_xnnpack_fp32.tflite")])
    assert shown.exit_code == 0, shown.output
    assert "M MAC" in shown.stdout
    (row,) = [line for line in shown.stdout.splitlines() if line.startswith("litert-fp32")]
    delegated, total = row.split()[3].split("/")
    assert int(delegated) == int(total) > 0


def test_second_export_does_not_replace_the_first(checkpoint, exported):
    out, _ = exported
    again = CliRunner().invoke(cli, ["export", str(checkpoint), "--engine", "litert", "-o", str(out)])
    assert again.exit_code == 1
    assert "--overwrite" in again.stderr
    assert "Traceback" not in again.stderr


def test_gate_that_fails_exits_with_3_and_leaves_nothing(tmp_path):
    words = ["export", SMALL_NET, "--engine", "litert", "--tolerance", "1e-12"]
    result = CliRunner().invoke(cli, [*words, "-o", str(tmp_path / "n.edgekit")])
    assert result.exit_code == 3
    assert "differs from the eager model" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_user_model_with_its_shape_on_the_command_line(tmp_path):
    (tmp_path / "mine.py").write_text("from torch import nn\ndef make():\n    return nn.Conv2d(3, 4, 1)\n")
    words = ["export", f"{tmp_path}/mine.py:make", "--engine", "litert", "--input-shape", "1x3x8x8"]
    result = CliRunner().invoke(cli, [*words, "-o", str(tmp_path / "mine.edgekit")])
    assert result.exit_code == 0, result.output
    assert "a random input and 3 random ones" in result.stderr
    assert json.loads((tmp_path / "mine.edgekit" / "manifest.json").read_bytes())["source"]["user_model"]


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        (["mine.py:make"], 1, "Error: mine.py:2: make() failed: ZeroDivisionError: division by zero\n"),
        (["mine.py:mkae"], 2, "has no function 'mkae'; there is: make"),
        (["mine.py:make", "--input-shape", "1x0"], 2, "'1x0' is no shape; join its sides by x"),
    ],
)
def test_user_model_that_fails_is_one_line(tmp_path, monkeypatch, words, exit_code, message):
    (tmp_path / "mine.py").write_text("def make():\n    return 1 / 0\n")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["export", *words])
    assert result.exit_code == exit_code
    assert message in result.stderr
    assert [file.name for file in tmp_path.iterdir() if file.name != "__pycache__"] == ["mine.py"]


def test_unknown_model_is_a_usage_error_with_near_matches():
    result = CliRunner().invoke(cli, ["export", "mobilnet_v2"])
    assert result.exit_code == 2
    assert "mobilenet_v2" in result.stderr


TWO_INPUTS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.sound, self.words = nn.Linear(4, 3), nn.Embedding(10, 3)

    def forward(self, sound, ids):
        return self.sound(sound) + self.words(ids), self.sound(sound) * 2

def make():
    return Net(), (torch.rand(1, 4), torch.tensor([7]))
"""


def test_two_inputs_from_export_to_run(tmp_path):
    (tmp_path / "mine.py").write_text(TWO_INPUTS)
    np.savez(tmp_path / "frame.npz", sound=np.ones((1, 4), np.float32), ids=np.array([7]))
    bundle = str(tmp_path / "mine.edgekit")
    allowed = ["--engine", "litert", "--allow-fallback", "EMBEDDING_LOOKUP"]
    exported = CliRunner().invoke(cli, ["export", f"{tmp_path}/mine.py:make", *allowed, "-o", bundle])
    assert exported.exit_code == 0, exported.output
    assert "outside the delegate of litert-fp32" in exported.stdout
    shown = CliRunner().invoke(cli, ["run", bundle, "--input", str(tmp_path / "frame.npz"), "--frames", "2"])
    assert shown.exit_code == 0, shown.output
    assert "Frames:  2 of litert-fp32" in shown.stdout
