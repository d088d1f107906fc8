"""The gate on ops outside the delegate: their measured price, the most expensive one, what to change."""

import pytest
import torch
from torch import nn

from edgekit.export.backend import EXPORT_BACKENDS
from edgekit.export.delegation import check_allowed, check_delegation
from edgekit.export.executorch import export_executorch
from edgekit.export.hints import hint_for
from edgekit.export.litert import export_litert
from runtime.bundle import Delegation, FallbackOp, Variant
from runtime.errors import DelegationError
from runtime.measure.profiling.profile import profile_file

X = (torch.randn(1, 8, 32, 32, generator=torch.Generator().manual_seed(0)),)


class TwoSums(nn.Module):
    """A small running sum, and one over the map eight times as large."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 64, 1)
        self.large, self.small = Sum(), Sum()

    def forward(self, x):
        return self.large(self.conv(x)).mean(1, keepdim=True) + self.small(x)


class Sum(nn.Module):
    def forward(self, x):
        return torch.cumsum(x, 2)


@pytest.fixture(scope="module", params=["executorch", "litert"])
def outside(request, tmp_path_factory):
    """Engine, file and facts of a net with ops outside the delegate."""
    torch.manual_seed(0)
    export = {"executorch": export_executorch, "litert": export_litert}[request.param]
    exported = export(TwoSums().eval(), X)
    path = tmp_path_factory.mktemp("outside") / f"net{exported.suffix}"
    path.write_bytes(exported.data)
    return request.param, path, exported


def test_allowed_ops_carry_their_measured_share(outside):
    engine, path, exported = outside
    allowed = {op.op for op in exported.delegation.fallback}
    said = []
    delegation = check_delegation(f"{engine}-fp32", engine, path, exported, allowed, said.append)
    shares = {op.module_path: op.latency_share for op in delegation.fallback if "cumsum" in op.op.lower()}
    assert shares["large"] > shares["small"] > 0
    assert sum(op.latency_share for op in delegation.fallback) < 1
    assert all(op.allowed for op in delegation.fallback)
    assert said == [f"{engine}-fp32: measuring what {len(delegation.fallback)} ops outside the delegate cost"]


def test_a_profile_names_the_modules_inside_and_outside(outside):
    engine, path, exported = outside
    variant = Variant("net", engine, "fp32", path.name, delegation=exported.delegation)
    profile = profile_file(path, variant, exported.workload, runs=10, warmup=3)
    sums = [op.module_path for op in profile.outside if "cumsum" in op.op.lower()]
    assert sorted(sums) == ["large", "small"]
    (conv,) = [op for op in profile.ops if op.module_path == "conv" and op.macs == 32 * 32 * 64 * 8]
    assert conv.delegate == 0
    assert 0.5 * profile.profiled_ms < profile.ops_ms <= profile.profiled_ms


def test_refusal_names_the_most_expensive_op_and_what_to_change(outside):
    engine, path, exported = outside
    allowed = {op.op for op in exported.delegation.fallback if "cumsum" not in op.op.lower()}
    with pytest.raises(DelegationError) as refused:
        check_delegation(f"{engine}-fp32", engine, path, exported, allowed)
    op = {"executorch": "aten.cumsum.default", "litert": "CUMSUM"}[engine]
    text = str(refused.value)
    assert f"{engine}-fp32: 2 of {exported.delegation.total} ops fall off the fast delegate" in text
    assert f"the most expensive is {op} (2x, here in large" in text
    assert "constant triangular matrix" in text
    assert text.endswith(f"or accept it with --allow-fallback {op}")
    assert refused.value.exit_code == 3


def test_all_ops_outside_are_named_in_one_line_to_paste(outside):
    engine, path, exported = outside
    with pytest.raises(DelegationError) as refused:
        check_delegation(f"{engine}-fp32", engine, path, exported, ())
    names = str(refused.value).rpartition("--allow-fallback ")[2].split(",")
    assert set(names) == {op.op for op in exported.delegation.fallback}


def test_an_allowed_name_that_is_no_op_of_the_model_is_refused():
    left = Delegation(1, 2, 1, (FallbackOp("CUMSUM", "a", "no kernel"),))
    variants = [Variant("net", "litert", "fp32", "net.tflite", delegation=left)]
    check_allowed(["CUMSUM", "CONV_2D"], variants, {"CONV_2D"})
    with pytest.raises(ValueError, match=r"names CUMSUN, but the model has no such op.*delegate: CUMSUM"):
        check_allowed(["CUMSUN"], variants, {"CONV_2D"})


def test_what_cannot_be_run_here_is_refused_without_shares(outside, tmp_path):
    engine, _, exported = outside
    said = []
    with pytest.raises(DelegationError, match=r"most often (aten|CUMSUM)"):
        check_delegation("broken", engine, tmp_path / "none.tflite", exported, (), said.append)
    assert "shares of the latency stay unknown" in said[-1]


def test_a_file_that_is_all_inside_is_not_run(tmp_path):
    from dataclasses import dataclass

    @dataclass
    class Whole:
        delegation: Delegation

    assert "litert" in EXPORT_BACKENDS
    whole = Whole(Delegation(4, 4, 1))
    assert check_delegation("whole", "litert", tmp_path / "none", whole, ()) is whole.delegation


@pytest.mark.parametrize(
    ("op", "hint"),
    [
        ("aten.select_copy.int", "narrow"),
        ("aten.mean.dim", "AdaptiveAvgPool2d"),
        ("STRIDED_SLICE", "stride to a convolution"),
        ("dim_order_ops._to_dim_order_copy.default", "float buffers"),
        ("aten.convolution.default", "DynamicConv2d"),
        ("SomethingNew", "replace it in that module"),
    ],
)
def test_hints(op, hint):
    assert hint in hint_for(op)
    assert hint_for(op, "XNNPACK wants one type for both").startswith("quantise its input as well")
