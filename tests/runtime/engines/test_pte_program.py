"""What a program of ExecuTorch tells of its methods: each is a variant, and plans memory of its own."""

import numpy as np
import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.engines import EngineProcess
from runtime.engines.model_file import open_bundle_or_model
from runtime.engines.pte_program import planned_bytes, read_methods
from runtime.errors import DeviceStableError
from tests.places import DATA


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    exir = pytest.importorskip("executorch.exir", reason="pip install -e '.[executorch]'")
    import torch
    from torch import nn

    def write(**factors):
        """Write a file whose methods multiply by these."""

        class Times(nn.Module):
            def __init__(self, factor):
                super().__init__()
                self.factor = factor

            def forward(self, x):
                return x * self.factor

        programs = {
            name: torch.export.export(Times(factor).eval(), (torch.zeros(1, factor),))
            for name, factor in factors.items()
        }
        path = tmp_path_factory.mktemp("methods") / "net.pte"
        path.write_bytes(exir.to_edge(programs).to_executorch().buffer)
        return path

    return write


def test_each_method_is_a_variant(write):
    path = write(encode=2, forward=3, decode=4)
    assert set(read_methods(path)) == {"forward", "decode", "encode"}
    bundle = open_bundle_or_model(path)
    assert {variant.name: variant.graph for variant in bundle.manifest.variants} == {
        "executorch-fp32": "forward",
        "decode-executorch-fp32": "decode",
        "encode-executorch-fp32": "encode",
    }
    assert {name: graph.inputs[0].shape for name, graph in bundle.manifest.graphs.items()} == {
        "forward": (1, 3),
        "decode": (1, 4),
        "encode": (1, 2),
    }
    done = CliRunner().invoke(
        cli, ["profile", str(path), "--variant", "decode-executorch-fp32", "--runs", "2", "--json"]
    )
    assert (done.exit_code, '"decode-executorch-fp32"' in done.stdout) == (0, True), done.output


def test_each_method_plans_memory_of_its_own(write):
    path = write(encode=2, decode=400)
    assert planned_bytes(path, "encode") < planned_bytes(path, "decode")
    assert planned_bytes(path, "forward") is None


@pytest.mark.parametrize("method", ["forward", "encoder"])
def test_the_memory_of_the_only_method_needs_no_name(method):
    assert planned_bytes(DATA / "sum.pte", method) == 1856  # as ExecuTorch's own reader of programs says


def test_no_memory_is_told_of_what_is_no_program(tmp_path, tflite):
    (tmp_path / "empty.pte").touch()
    (tmp_path / "cut.pte").write_bytes((DATA / "sum.pte").read_bytes()[:40])
    files = [tmp_path / "empty.pte", tmp_path / "cut.pte", tmp_path / "none.pte", tflite]
    assert [planned_bytes(file, "forward") for file in files] == [None] * 4


def test_the_only_method_needs_no_name(write):
    path = write(encode=2)
    [variant] = open_bundle_or_model(path).manifest.variants
    assert (variant.name, variant.graph) == ("executorch-fp32", "encode")
    with EngineProcess("executorch", path) as model:
        np.testing.assert_array_equal(model.run([np.ones((1, 2), np.float32)]).outputs[0], [[2.0, 2.0]])


def test_a_method_that_is_not_there(write):
    with pytest.raises(DeviceStableError, match="it has no method 'prefill', only: decode, encode; choose"):
        EngineProcess("executorch", write(encode=2, decode=4), graph="prefill")
