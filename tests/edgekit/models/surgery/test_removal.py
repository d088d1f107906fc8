import pytest
import torch
from torch import nn

from edgekit.models import ModelSpec, build_model, count_macs
from edgekit.models.surgery.groups import ChannelGraph
from edgekit.models.surgery.removal import mask_channels, physically_remove
from edgekit.nn import DynamicConv2d, DynamicReLU, SpatialGroupEnhance
from runtime.errors import PruneError
from tests.edgekit.models.surgery.joined import Joined

SPECS = {
    "mobilenet_v2": ModelSpec("mobilenet_v2", width=0.25),
    "mobilenet_v2 dynamic": ModelSpec("mobilenet_v2", width=0.25, act="dyrelu-b", dynamic_conv="pointwise"),
    "mobilenet_v2 dyrelu-c": ModelSpec("mobilenet_v2", width=0.25, act="dyrelu-c"),
    "resnet20": ModelSpec("resnet20", width=0.5),
    "resnet20 dynamic": ModelSpec("resnet20", width=0.5, act="dyrelu-b", dynamic_conv="pointwise"),
    "mobilenet_v3_small": ModelSpec("mobilenet_v3_small", width=0.5),
    "resnet20 sk": ModelSpec("resnet20", width=0.5, block="sk"),
    "resnet20 sge": ModelSpec("resnet20", width=0.5, block="sge"),
    "mobilenet_v2 sk": ModelSpec("mobilenet_v2", width=0.25, block="sk"),
    "mobilenet_v3_small sk": ModelSpec("mobilenet_v3_small", width=0.25, block="sk"),
    "mobilenet_v2 sge": ModelSpec("mobilenet_v2", width=0.25, block="sge"),
    "efficientnet_lite0": ModelSpec("efficientnet_lite0", width=0.25),
}
PICTURES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
INPUTS = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def lively(spec):
    """Build a small model none of whose constants is at its start of 0 or 1, as after training."""
    from dataclasses import replace

    torch.manual_seed(0)
    model = build_model(replace(spec, num_classes=10, image_size=8))
    model(INPUTS)  # running statistics
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def every_third(model):
    return {c.name: tuple(range(0, c.channels, 3)) for c in ChannelGraph(model, INPUTS[:1]).groups()}


@pytest.mark.parametrize("name", SPECS)
def test_compact_equals_masked(name):
    model = lively(SPECS[name])
    plan = every_third(model)
    graph = ChannelGraph(model, INPUTS[:1])
    masked = mask_channels(model, [r for conv, idx in plan.items() for r in graph.removals(conv, idx)])
    compact = physically_remove(model, plan, INPUTS)
    expected = masked(INPUTS)
    assert (compact(INPUTS) - expected).abs().max() <= 1e-5 * max(1.0, expected.abs().max())
    assert (compact(INPUTS) - model(INPUTS)).abs().max() > 1e-3  # the channels did matter
    for conv, indices in plan.items():
        assert compact.get_submodule(conv).out_channels == model.get_submodule(conv).out_channels - len(
            indices
        )
    assert count_macs(compact, (3, 8, 8)) < count_macs(model, (3, 8, 8))


def test_the_model_itself_is_left_alone():
    model = lively(SPECS["resnet20"])
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    physically_remove(model, every_third(model), INPUTS)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_zeroing_the_filter_alone_is_not_a_removal():
    """Batch norm turns a filter of zeros into a constant; only masking it too makes the channel go."""
    model = lively(SPECS["resnet20"])
    plan = {"stages.0.0.conv1.conv": (0, 1)}
    compact = physically_remove(model, plan, INPUTS)
    with torch.no_grad():
        model.get_submodule("stages.0.0.conv1.conv").weight[[0, 1]] = 0
        assert (model(INPUTS) - compact(INPUTS)).abs().max() > 1e-3


def test_a_dynamic_convolution_loses_outputs_inputs_and_attention_inputs():
    model = lively(SPECS["mobilenet_v2 dynamic"])
    compact = physically_remove(model, {"blocks.1.expand.conv": (0, 7)}, INPUTS)
    expand, project = (compact.get_submodule(f"blocks.1.{part}.conv") for part in ("expand", "project"))
    assert isinstance(expand, DynamicConv2d)
    assert expand.weight.shape == (4, 46, 8, 1, 1)
    assert project.weight.shape[2] == project.attention.fc1.in_channels == 46
    kept = [i for i in range(48) if i not in (0, 7)]
    assert torch.equal(expand.weight, model.get_submodule("blocks.1.expand.conv").weight[:, kept])
    act = compact.get_submodule("blocks.1.expand.act")
    assert act.fc1.in_channels == act.slope1.out_channels == act.offset2.out_channels == 46


def test_a_selective_kernel_loses_channels_in_both_branches_its_squeeze_and_its_heads():
    model = lively(SPECS["resnet20 sk"])
    compact = physically_remove(model, {"stages.0.0.conv1.branches.0.conv": (0, 3)}, INPUTS)
    unit = compact.get_submodule("stages.0.0.conv1")
    assert {branch.conv.out_channels for branch in unit.branches} == {6}
    assert {head.out_channels for head in unit.heads} == {6}
    assert unit.squeeze.conv.in_channels == compact.get_submodule("stages.0.0.conv2.conv").in_channels == 6
    assert unit.squeeze.conv.out_channels == 32


def test_a_spatial_enhance_loses_inputs_group_by_group():
    """As when a whole residual stream is pruned: groups become unequal, one of them empty."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 1), SpatialGroupEnhance(8, 4), nn.Conv2d(8, 2, 1))
    for parameter in model[1].parameters():
        nn.init.normal_(parameter)
    compact = physically_remove(model, {"0": (0, 1, 4)}, INPUTS)
    assert compact[1].membership.flatten(1).sum(1).tolist() == [0, 2, 1, 2]


def test_the_compact_network_trains():
    model = lively(SPECS["mobilenet_v2 dynamic"])
    compact = physically_remove(model, every_third(model), INPUTS).train()
    compact(INPUTS).sum().backward()
    assert all(parameter.grad is not None for parameter in compact.parameters())


def test_an_empty_plan_changes_nothing():
    model = lively(SPECS["resnet20"])
    assert torch.equal(physically_remove(model, {}, INPUTS)(INPUTS), model(INPUTS))


class Gated(nn.Module):
    """A convolution, an activation with f(0) = 1/2, and a second convolution."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 1)
        self.act = nn.Sigmoid()
        self.second = nn.Conv2d(8, 4, 1)

    def forward(self, x):
        return self.second(self.act(self.first(x))).mean((2, 3))


def test_an_activation_that_lifts_zero_is_noticed():
    with pytest.raises(PruneError, match=r"differs from the masked one .* does not map 0 to 0"):
        physically_remove(Gated(), {"first": (0,)}, INPUTS)


@pytest.mark.parametrize("scope", ["inside", "all"])
def test_joined_branches_lose_channels_of_both(scope):
    torch.manual_seed(0)
    model = Joined().eval()
    plan = {group.name: (0, 2) for group in ChannelGraph(model, PICTURES).groups(scope)}
    compact = physically_remove(model, plan, PICTURES)
    assert compact.last.in_channels == 4
    assert compact.classifier.in_features == 2 * 16 * 16


def test_streams_stem_and_head_can_lose_channels():
    for name in ("resnet20", "mobilenet_v2", "mobilenet_v3_small"):
        model = lively(SPECS[name])
        plan = {g.name: tuple(range(0, g.channels, 3)) for g in ChannelGraph(model, INPUTS[:1]).groups("all")}
        compact = physically_remove(model, plan, INPUTS)
        assert compact.stem.conv.out_channels < model.stem.conv.out_channels
        assert count_macs(compact, (3, 8, 8)) < 0.6 * count_macs(model, (3, 8, 8))


def test_dynamic_layers_that_share_something_are_refused():
    shared = nn.Sequential(nn.Conv2d(3, 8, 1), DynamicReLU(8, "a"), nn.Conv2d(8, 4, 1))
    with pytest.raises(PruneError, match="DynamicReLU 'a', whose offsets all channels share"):
        physically_remove(shared, {"0": (0,)}, INPUTS)
    grouped = nn.Sequential(nn.Conv2d(3, 6, 1), DynamicConv2d(6, 6, 3, groups=3))
    with pytest.raises(PruneError, match="dynamic convolution of 3 groups"):
        physically_remove(grouped, {"0": (0, 2)}, INPUTS)
