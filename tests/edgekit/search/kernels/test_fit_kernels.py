"""Kernels drawn, exported, timed and learnt on this machine; a network predicted that it never ran."""

import json
import random

import pytest
import torch
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.search.kernels import sample as sampling
from edgekit.search.kernels.build import add_graph, find_unbuildable
from edgekit.search.kernels.chain import Chain, Map, Step
from edgekit.search.kernels.draw import draw_chain
from edgekit.search.kernels.fit import fit_kernels
from edgekit.search.kernels.sample import KernelSample
from runtime.bundle import Bundle
from runtime.choose.fitting.kernels.timing import KernelTimer
from runtime.device.setting import Setting
from runtime.errors import ExportError
from tests.runtime.choose.fitting.kernels.laboratory import Laboratory


def run(*words):
    return CliRunner().invoke(cli, list(map(str, words)))


def test_computed_latencies_need_no_kernels(tmp_path):
    with pytest.raises(ValueError, match="its latencies are computed, for any network"):
        fit_kernels(tmp_path / "kernels.edgekit", "virtual:sdm845")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit"], "Missing argument 'BUNDLE'"),
        (["fit", "x.edgekit", "--most", "300"], "--most goes with --kernels alone"),
        (["fit", "--kernels", "--log", "x.jsonl"], "learns from what it times"),
        (["fit", "--kernels", "--target", "virtual:sdm845"], "latencies are computed"),
        (["fit", "--kernels", "--cluster", "nowhere"], "nowhere"),
    ],
)
def test_wrong_usage_is_named(words, message):
    shown = run(*words)
    assert (shown.exit_code, message in shown.output) == (2, True), shown.output


def test_a_graph_is_a_variant_of_one_bundle(tmp_path):
    path = tmp_path / "kernels.edgekit"
    chain = Chain(Map(8, 8), (Step("conv", 16, 3, 1, "relu"), Step("depthwise", 16, 3)))
    bundle = add_graph(path, None, "executorch", "executorch-000", [chain, chain], 0)
    add_graph(path, bundle, "executorch", "executorch-001", [chain], 1)
    read = Bundle.open(path)
    assert [variant.name for variant in read.manifest.variants] == ["executorch-000", "executorch-001"]
    assert [spec.shape for spec in read.manifest.graphs["executorch-000"].inputs] == [(1, 8, 8, 8)] * 2
    workload = read.workload(read.manifest.variants[0])
    assert [(op.kind, op.type) for op in workload.ops] == [
        ("conv2d", "conv2d"), ("depthwise_conv2d", "conv2d")
    ] * 2  # fmt: skip


def test_what_an_engine_cannot_build_is_named_and_drawn_no_more(tmp_path, monkeypatch):
    def refuse(path, bundle, engine, name, chains, seed):
        if any(step.kind == "conv" for chain in chains for step in chain.steps):
            raise ExportError("no conv here")
        raise KeyboardInterrupt  # a graph without it: enough seen

    monkeypatch.setattr(sampling, "add_graph", refuse)
    monkeypatch.setattr(sampling, "find_unbuildable", lambda *_: {"conv": "no conv here"})
    said = []
    timer = KernelTimer(Laboratory(), Setting("big", None))
    sample = KernelSample(tmp_path / "k.edgekit", "litert", timer, 300, on_message=said.append)
    with pytest.raises(KeyboardInterrupt):
        sample.grow()
    assert (sample.left_out, said) == ({"conv": "no conv here"}, ["conv is left out: no conv here"])


def test_a_kind_that_cannot_be_built_is_found_alone(monkeypatch):
    monkeypatch.setattr("edgekit.search.kernels.build.lower", refuse_gelu)
    chain = Chain(Map(8, 4), (Step("relu"), Step("gelu"), Step("gelu")))
    assert find_unbuildable("executorch", [chain], 0) == {"gelu": "no gelu"}


def refuse_gelu(model):
    from edgekit.export import lower

    if any(isinstance(module, torch.nn.GELU) for module in model.modules()):
        raise ExportError("no gelu")
    return lower(model)


@pytest.mark.slow
def test_a_network_is_predicted_that_never_ran(tmp_path):
    kernels = tmp_path / "kernels.edgekit"
    shown = run("fit", "--kernels", kernels, "--most", "450", "--rounds", "1", "--engine", "executorch")
    assert shown.exit_code == 0, shown.output
    assert "Next: edgekit predict MODEL --target local" in shown.output
    rng = random.Random(99)
    steps = draw_chain(rng, start=Chain(Map(32, 28), (Step("conv", 40, 1),))).steps
    net = tmp_path / "net.edgekit"
    add_graph(net, None, "executorch", "net", [Chain(Map(32, 28), steps)], 1)
    shown = run("predict", net, "--kernels", kernels, "--json")
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.stdout)
    assert 0 < found["low_ms"] < found["latency_ms"] < found["high_ms"]
    again = run("fit", "--kernels", kernels, "--most", "450", "--rounds", "1", "--engine", "executorch")
    assert "exporting" not in again.output  # what is there is not done again
