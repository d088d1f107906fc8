import pytest
import torch
from torch import nn

from edgekit.models import ModelSpec, build_model
from edgekit.models.surgery.groups import ChannelGraph, Removal
from edgekit.nn import DynamicConv2d, DynamicReLU
from runtime.errors import PruneError

EXAMPLE = torch.zeros(1, 3, 16, 16)


def graph_of(name, **options):
    return ChannelGraph(
        build_model(ModelSpec(name, num_classes=10, width=0.25, image_size=16, **options)), EXAMPLE
    )


@pytest.mark.parametrize("options", [{}, {"act": "dyrelu-b", "dynamic_conv": "pointwise"}])
def test_expansions_of_mobilenet_are_prunable_and_nothing_else(options):
    names = [conv.name for conv in graph_of("mobilenet_v2", **options).block_internal()]
    assert names == [f"blocks.{i}.expand.conv" for i in range(1, 17)]


def test_first_convolutions_of_resnet_blocks_are_prunable_and_nothing_else():
    names = [conv.name for conv in graph_of("resnet20").block_internal()]
    assert names == [f"stages.{stage}.{block}.conv1.conv" for stage in range(3) for block in range(3)]


def test_squeeze_and_excitation_is_no_second_source():
    names = [conv.name for conv in graph_of("mobilenet_v3_small").block_internal()]
    assert names == [f"blocks.{i}.expand.conv" for i in range(1, 11)]


def test_a_selective_kernel_is_one_source_with_two_branches():
    found = graph_of("resnet20", block="sk").block_internal()
    blocks = [f"stages.{stage}.{block}.conv1.branches" for stage in range(3) for block in range(3)]
    assert [conv.name for conv in found] == [f"{block}.0.conv" for block in blocks]
    assert [conv.partners for conv in found] == [(f"{block}.1.conv",) for block in blocks]


@pytest.mark.parametrize("block", ["sk", "sge"])
def test_blocks_of_mobilenet_leave_its_expansions_prunable(block):
    names = [conv.name for conv in graph_of("mobilenet_v2", block=block).block_internal()]
    assert names == [f"blocks.{i}.expand.conv" for i in range(1, 17)]


def test_an_expansion_goes_with_its_depthwise_and_its_dynamic_layers():
    graph = graph_of("mobilenet_v2", act="dyrelu-b", dynamic_conv="pointwise")
    removals = graph.removals("blocks.1.expand.conv", (1, 5))
    assert all(r.indices == (1, 5) for r in removals)
    outputs = {r.layer.removeprefix("blocks.1.") for r in removals if r.is_output}
    assert outputs == {
        "expand.conv",
        "expand.bn",
        "expand.act",
        "depthwise.conv",
        "depthwise.bn",
        "depthwise.act",
    }
    assert [r for r in removals if not r.is_output] == [Removal("blocks.1.project.conv", False, (1, 5))]


def test_the_model_is_left_as_it_was():
    model = build_model(ModelSpec("resnet20", num_classes=10, width=0.25, image_size=16))
    model.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert ChannelGraph(model, EXAMPLE).block_internal()  # frozen parameters hide nothing
    assert model.training
    assert not any(p.requires_grad for p in model.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    ("name", "indices", "message"),
    [
        (
            "blocks.99.expand.conv",
            (0,),
            "names convolution 'blocks.99.expand.conv', which this model does not have",
        ),
        ("blocks.1.expand.bn", (0,), "which this model does not have"),
        ("blocks.1.expand.conv", (48,), "removes channel 48 of 'blocks.1.expand.conv', which has 48"),
        ("blocks.1.expand.conv", tuple(range(48)), "leaves a layer empty"),
    ],
)
def test_plans_that_do_not_fit_are_refused(name, indices, message):
    with pytest.raises(PruneError, match=message):
        graph_of("mobilenet_v2").removals(name, indices)


def test_shared_offsets_cannot_be_pruned():
    with pytest.raises(PruneError, match="DynamicReLU 'a', whose offsets all channels share"):
        ChannelGraph(nn.Sequential(nn.Conv2d(3, 8, 1), DynamicReLU(8, "a")), EXAMPLE)


def test_grouped_dynamic_convolutions_cannot_be_pruned():
    with pytest.raises(PruneError, match="dynamic convolution of 3 groups"):
        ChannelGraph(nn.Sequential(DynamicConv2d(3, 6, 3, groups=3)), EXAMPLE)


def test_a_network_that_does_not_run_on_the_input_is_refused():
    with pytest.raises(PruneError, match="cannot be traced"):
        ChannelGraph(nn.Sequential(nn.Conv2d(4, 8, 1)), EXAMPLE)
