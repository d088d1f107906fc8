import pytest
import torch
from torch import nn

from edgekit.models import ModelSpec, build_model
from edgekit.models.surgery.groups import ChannelGraph, Removal
from runtime.errors import PruneError
from tests.edgekit.models.surgery.joined import Joined

EXAMPLE = torch.zeros(1, 3, 16, 16)


def graph_of(name, **options):
    return ChannelGraph(
        build_model(ModelSpec(name, num_classes=10, width=0.25, image_size=16, **options)), EXAMPLE
    )


@pytest.mark.parametrize("options", [{}, {"act": "dyrelu-b", "dynamic_conv": "pointwise"}])
def test_expansions_of_mobilenet_are_prunable_and_nothing_else(options):
    names = [conv.name for conv in graph_of("mobilenet_v2", **options).groups()]
    assert names == [f"blocks.{i}.expand.conv" for i in range(1, 17)]


def test_first_convolutions_of_resnet_blocks_are_prunable_and_nothing_else():
    names = [conv.name for conv in graph_of("resnet20").groups()]
    assert names == [f"stages.{stage}.{block}.conv1.conv" for stage in range(3) for block in range(3)]


def test_squeeze_and_excitation_is_no_second_source():
    names = [conv.name for conv in graph_of("mobilenet_v3_small").groups()]
    assert names == [f"blocks.{i}.expand.conv" for i in range(1, 11)]


def test_a_selective_kernel_is_one_source_with_two_branches():
    found = graph_of("resnet20", block="sk").groups()
    blocks = [f"stages.{stage}.{block}.conv1.branches" for stage in range(3) for block in range(3)]
    assert [conv.name for conv in found] == [f"{block}.0.conv" for block in blocks]
    assert [conv.layers for conv in found] == [(f"{b}.0.conv", f"{b}.1.conv") for b in blocks]


@pytest.mark.parametrize("block", ["sk", "sge"])
def test_blocks_of_mobilenet_leave_its_expansions_prunable(block):
    names = [conv.name for conv in graph_of("mobilenet_v2", block=block).groups()]
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
    assert ChannelGraph(model, EXAMPLE).groups()  # frozen parameters hide nothing
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


def test_flat_networks_have_groups_but_for_their_first_layer():
    names = [group.name for group in ChannelGraph(Joined(), EXAMPLE).groups()]
    assert names == ["left", "right", "last"]
    plain = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3))
    assert [group.name for group in ChannelGraph(plain, EXAMPLE).groups()] == ["2", "4"]


def test_everywhere_means_stem_streams_and_head_too():
    every = {group.name: group.layers for group in graph_of("resnet20").groups("all")}
    assert every["stem.conv"] == ("stem.conv", *(f"stages.0.{i}.conv2.conv" for i in range(3)))
    stream = (
        "stages.1.0.conv2.conv",
        "stages.1.0.shortcut.conv",
        "stages.1.1.conv2.conv",
        "stages.1.2.conv2.conv",
    )
    assert every["stages.1.0.conv2.conv"] == stream
    inside = [group.name for group in graph_of("resnet20").groups()]
    assert len(every) == len(inside) + 3
    assert {"stem.conv", "head.conv"} < {group.name for group in graph_of("mobilenet_v2").groups("all")}


def test_an_unknown_scope_is_refused():
    with pytest.raises(ValueError, match="scope is 'outside'; allowed: inside, all"):
        graph_of("resnet20").groups("outside")


def test_a_network_that_does_not_run_on_the_input_is_refused():
    with pytest.raises(PruneError, match="cannot be traced"):
        ChannelGraph(nn.Sequential(nn.Conv2d(4, 8, 1)), EXAMPLE)
