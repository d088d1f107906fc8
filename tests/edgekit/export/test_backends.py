"""Both backends on dynamic blocks, on ops that no delegate takes and on what cannot be exported."""

import numpy as np
import pytest
import torch
from torch import nn

from edgekit.export.executorch import export_executorch, trace
from edgekit.export.litert import export_litert, module_names
from edgekit.export.lower import lower
from edgekit.export.workload import workload_of
from edgekit.models.layers import SqueezeExcite
from edgekit.nn import DynamicConv2d, DynamicReLU, SelectiveKernel, SpatialGroupEnhance
from runtime.engines import EngineProcess
from runtime.engines.tflite_delegation import read_delegation
from runtime.engines.tflite_graph import read_tflite
from runtime.errors import ExportError

EXPORTERS = {"executorch": export_executorch, "litert": export_litert}
X = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=EXPORTERS)
def variant(request, small_net):
    return small_net.bundle.manifest.variant(f"{request.param}-fp32")


def test_dynamic_blocks_stay_in_one_delegate(variant):
    assert (variant.delegation.partitions, variant.delegation.fallback) == (1, ())
    assert variant.delegation.delegated == variant.delegation.total > 10


def test_the_file_gives_the_eager_numbers(variant, small_net):
    graph = small_net.origin.graphs["forward"]
    with torch.no_grad():
        expected = graph.model(*graph.example()).numpy()
    with EngineProcess(variant.engine, small_net.bundle.file(variant.path)) as model:
        (actual,) = model.run(graph.frames[0]).outputs
    np.testing.assert_allclose(actual, expected, atol=1e-4)


def test_ops_carry_module_paths(variant, small_net):
    names = {op.name for op in small_net.bundle.workload(variant).ops}
    assert {"stem.conv", "expand.act.fc1", "expand.conv.mix", "linear"} <= names


def test_a_chain_is_counted_in_the_order_it_was_traced(small_net):
    bundle, graph = small_net.bundle, small_net.origin.graphs["forward"]
    traced = workload_of(trace(lower(graph.model), graph.example()))
    assert bundle.workload(bundle.manifest.variant("executorch-fp32")) == traced


def test_delegation_of_a_file_read_alone(small_net):
    variant = small_net.bundle.manifest.variant("litert-fp32")
    assert read_delegation(small_net.bundle.file(variant.path)).total == variant.delegation.total


BLOCKS = {
    "dynamic 3x3": lambda: DynamicConv2d(8, 8, 3, 2, 1, bias=True),
    "dynamic 5x5, dilated": lambda: DynamicConv2d(8, 8, 5, dilation=2, padding=4),
    "dynamic depthwise": lambda: DynamicConv2d(8, 8, 3, padding=1, groups=8),
    "selective kernel": lambda: SelectiveKernel(8, 8, groups=4),
    "spatial enhance": lambda: SpatialGroupEnhance(8, 4),
    "squeeze and excitation": lambda: SqueezeExcite(8, 4),
    "dynamic ReLU, a": lambda: DynamicReLU(8, "a"),
    "dynamic ReLU, c": lambda: DynamicReLU(8, "c"),
}


@pytest.mark.parametrize("engine", EXPORTERS)
def test_every_block_keeps_its_numbers_inside_one_delegate(engine, tmp_path):
    torch.manual_seed(0)
    blocks = nn.Sequential(*(make() for make in BLOCKS.values()))
    for parameter in blocks.parameters():
        nn.init.normal_(parameter, std=0.2)
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), blocks, nn.Conv2d(8, 4, 3)).eval()
    exported = EXPORTERS[engine](lower(model), (X,))
    assert (exported.delegation.partitions, exported.delegation.fallback) == (1, ())
    path = tmp_path / f"net{exported.suffix}"
    path.write_bytes(exported.data)
    if engine == "litert":  # the map turns once at each end, not once per block
        moved = [op for op in exported.workload.ops if op.kind == "copy" and op.bytes_written > 4096]
        assert read_tflite(path).op_counts["TRANSPOSE"] <= 2, moved
    with torch.no_grad():
        expected = model(X).numpy()
    with EngineProcess(engine, path) as process:
        (actual,) = process.run([X.numpy()]).outputs
    np.testing.assert_allclose(actual, expected, atol=1e-4 * np.abs(expected).max())


class Cumulate(nn.Module):
    """An op that no delegate takes, inside a container that is never called."""

    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleList([nn.Conv2d(3, 4, 1), Step()])

    def forward(self, x):
        return self.parts[1](self.parts[0](x))


class Step(nn.Module):
    def forward(self, x):
        return torch.cumsum(x, 2)


@pytest.mark.parametrize(("engine", "op"), [("executorch", "aten.cumsum.default"), ("litert", "CUMSUM")])
def test_an_op_outside_the_delegate_is_named_with_its_module(engine, op):
    delegation = EXPORTERS[engine](Cumulate().eval(), (X,)).delegation
    (left,) = delegation.fallback
    assert (left.op, left.module_path) == (op, "parts.1")
    assert left.reason in (
        "XNNPACK's partitioner does not know this op",
        "XNNPACK has no kernel for CUMSUM (derived from the file: LiteRT does not say)",
    )
    assert delegation.delegated == delegation.total - 1


def test_a_branch_on_data_is_an_export_error():
    class Branches(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(ExportError, match=r"torch\.export could not trace"):
        export_executorch(Branches(), (X,))


@pytest.mark.parametrize("function", [lambda x: 2 * x - 1, lambda x: x / 2 + 1, lambda x: 1 - x])
def test_integers_beside_floats_stay_in_the_delegate(function):
    class Scales(nn.Module):
        def forward(self, x):
            return function(x)

    assert export_executorch(Scales(), (X,)).delegation.fallback == ()


def test_module_names_tell_apart_what_the_file_alone_cannot():
    name_of = module_names(Cumulate())
    own = f"{Cumulate.__module__}.{Cumulate.__qualname__}/torch.nn.modules.conv.Conv2d_0;"
    assert name_of(own, True) == "parts.0"
    assert name_of("arith.constant", False) is None
