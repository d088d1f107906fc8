"""Every export form gives the eager block's numbers, and the model that is lowered stays as it was."""

import pytest
import torch
from torch import nn

from edgekit.export.lower import choose_layout, fold_batch_norm, lower
from edgekit.export.lower.dynamic_conv import DynamicProduct, StaticKernels
from edgekit.export.lower.dynamic_relu import StaticDynamicReLU
from edgekit.export.lower.selective_kernel import FoldedSelectiveKernel
from edgekit.export.lower.squeeze_excite import FoldedSqueezeExcite
from edgekit.models.layers import SqueezeExcite
from edgekit.nn import DynamicConv2d, DynamicReLU, SelectiveKernel, set_temperature

X = torch.randn(1, 8, 6, 6, generator=torch.Generator().manual_seed(0))


def randomised(model, seed=0):
    """Give every parameter and running statistic a value that no initialisation hides."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(generator=generator)
                module.running_var.uniform_(0.5, 2.0, generator=generator)
    return model.eval()


def largest_difference(eager, lowered, x=X):
    with torch.no_grad():
        return float((eager(x) - lowered(x)).abs().max())


@pytest.mark.parametrize("variant", ["a", "b", "c"])
def test_dynamic_relu(variant):
    act = randomised(DynamicReLU(8, variant))
    lowered = lower(nn.Sequential(act))
    assert isinstance(lowered[0], StaticDynamicReLU)
    assert largest_difference(act, lowered) < 1e-5


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("bias", [False, True])
def test_pointwise_dynamic_conv(stride, bias):
    conv = randomised(DynamicConv2d(8, 12, 1, stride=stride, bias=bias))
    lowered = lower(nn.Sequential(conv))
    assert isinstance(lowered[0], DynamicProduct)
    assert largest_difference(conv, lowered) < 1e-5


@pytest.mark.parametrize(
    ("arguments", "form"),
    [
        ({"kernel_size": 3, "padding": 1}, DynamicProduct),
        ({"kernel_size": 3, "stride": 2, "bias": True}, DynamicProduct),
        ({"kernel_size": (1, 3), "stride": (1, 2), "padding": (0, 1)}, DynamicProduct),
        ({"kernel_size": 3, "padding": 2, "dilation": 2}, DynamicProduct),
        ({"kernel_size": 1, "padding": 1}, DynamicProduct),
        ({"kernel_size": 7, "padding": 3}, StaticKernels),
        ({"kernel_size": 3, "padding": 1, "groups": 8}, StaticKernels),
        ({"kernel_size": 1, "groups": 4}, StaticKernels),
    ],
)
def test_other_dynamic_convs(arguments, form):
    conv = randomised(DynamicConv2d(8, 8, **arguments))
    lowered = lower(nn.Sequential(conv))
    assert isinstance(lowered[0], form)
    assert largest_difference(conv, lowered) < 1e-5


@pytest.mark.parametrize("temperature", [1.0, 7.0, 30.0])
def test_the_temperature_is_folded(temperature):
    conv = randomised(DynamicConv2d(8, 12, 1))
    set_temperature(conv, temperature)
    lowered = lower(conv)
    assert not any("temperature" in name for name, _ in lowered.named_buffers())
    assert largest_difference(conv, lowered) < 1e-5


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kernel_size", [1, 3])
def test_batch_norm_after_a_dynamic_conv_is_folded(bias, kernel_size):
    conv = DynamicConv2d(8, 12, kernel_size, bias=bias)
    model = randomised(nn.Sequential(conv, nn.BatchNorm2d(12), nn.ReLU()))
    lowered = lower(model)
    assert isinstance(lowered[1], nn.Identity)
    assert largest_difference(model, lowered) < 1e-5


def test_a_folded_shift_is_not_mixed():
    model = randomised(nn.Sequential(DynamicConv2d(8, 12, 1), nn.BatchNorm2d(12, affine=False)))
    lowered = lower(model)
    assert lowered[0].mix_bias is None
    assert lowered[0].bias.shape == (12,)
    assert largest_difference(model, lowered) < 1e-5


def test_batch_norm_stays_where_its_conv_is_used_twice():
    conv = DynamicConv2d(8, 8, 1)
    model = randomised(nn.Sequential(conv, nn.BatchNorm2d(8), conv))
    fold_batch_norm(model)
    assert isinstance(model[1], nn.BatchNorm2d)
    assert largest_difference(model, lower(model)) < 1e-5


def test_batch_norm_after_a_static_conv_is_folded():
    model = randomised(nn.Sequential(nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 3)))
    lowered = lower(model)
    assert isinstance(lowered[1], nn.Identity)
    assert largest_difference(model, lowered) < 1e-5


def test_batch_norm_outside_a_sequential_is_left_to_the_exporter():
    block = nn.ModuleDict({"conv": nn.Conv2d(8, 8, 1), "bn": nn.BatchNorm2d(8)}).eval()
    fold_batch_norm(block)
    assert isinstance(block["bn"], nn.BatchNorm2d)


def test_the_model_itself_is_not_changed():
    model = nn.Sequential(DynamicConv2d(8, 8, 1), nn.BatchNorm2d(8), DynamicReLU(8)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    lowered = lower(model)
    assert model.training
    assert not lowered.training
    assert [type(m) for m in model] == [DynamicConv2d, nn.BatchNorm2d, DynamicReLU]
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("stride", [1, 2])
def test_selective_kernel(stride):
    block = randomised(SelectiveKernel(8, 16, stride, groups=4))
    lowered = lower(nn.Sequential(block))
    assert isinstance(lowered[0], FoldedSelectiveKernel)
    assert largest_difference(block, lowered) < 1e-5


def test_squeeze_and_excitation_has_its_shift_folded():
    block = randomised(SqueezeExcite(8, 4))
    lowered = lower(nn.Sequential(block))
    assert isinstance(lowered[0], FoldedSqueezeExcite)
    assert largest_difference(block, lowered) < 1e-5
    ops = [
        node.target for node in torch.export.export(lowered, (X,)).graph.nodes if node.op == "call_function"
    ]
    assert [str(op).split(".")[1] for op in ops] == [
        "mean", "conv2d", "relu", "conv2d", "hardtanh", "mul", "mul",
    ]  # fmt: skip


def test_one_kernel_is_a_static_convolution():
    conv = randomised(DynamicConv2d(8, 12, 1, kernels=1))
    lowered = lower(nn.Sequential(conv))
    assert type(lowered[0]) is nn.Conv2d
    assert largest_difference(conv, lowered) < 1e-5


@pytest.mark.parametrize("channels_last", [False, True])
def test_both_layouts_give_the_same_numbers(channels_last):
    conv = randomised(DynamicConv2d(8, 12, 1))
    lowered = lower(nn.Sequential(conv))
    choose_layout(lowered, channels_last=channels_last)
    assert lowered[0].channels_last is channels_last
    assert largest_difference(conv, lowered) < 1e-5


def test_dynamic_relu_with_a_flat_line():
    act = randomised(DynamicReLU(8))
    with torch.no_grad():
        act.slope1.bias.fill_(-60.0)  # tanh is -1 exactly: the first line's slope is 0
    assert largest_difference(act, lower(act)) < 1e-5
