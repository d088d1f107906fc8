import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from edgekit.nn import DynamicConv2d, TemperatureSchedule, set_temperature

SHAPES = [
    {"kernel_size": 1},
    {"kernel_size": 3, "padding": 1, "stride": 2},
    {"kernel_size": (3, 1), "padding": (1, 0), "dilation": (2, 1)},
    {"kernel_size": 3, "padding": 1, "groups": 4, "bias": True},
]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def sharp(conv: DynamicConv2d) -> DynamicConv2d:
    """Make the attention depend strongly on the input, so that samples get different kernels."""
    conv.attention.temperature.fill_(1.0)
    conv.attention.fc1.weight.data.mul_(10)
    conv.attention.fc2.weight.data.mul_(10)
    return conv


def test_attention_rows_are_positive_and_sum_to_one():
    pi = sharp(DynamicConv2d(8, 4, 1, kernels=3)).attention(torch.randn(5, 8, 6, 6))
    assert pi.shape == (5, 3)
    assert (pi >= 0).all()
    torch.testing.assert_close(pi.sum(1), torch.ones(5))


def test_attention_equals_its_formula():
    conv = DynamicConv2d(32, 4, 1, kernels=3)
    attention = conv.attention
    attention.fc1.bias.data.normal_()
    attention.fc2.bias.data.normal_()
    x = torch.randn(2, 32, 6, 6)
    hidden = torch.relu(x.mean((2, 3)) @ attention.fc1.weight.flatten(1).T + attention.fc1.bias)
    logits = hidden @ attention.fc2.weight.flatten(1).T + attention.fc2.bias
    assert attention.fc1.weight.shape == (8, 32, 1, 1)  # C / 4 hidden channels
    torch.testing.assert_close(attention(x), torch.softmax(logits / 30.0, 1))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_batch_gives_what_its_samples_give(shape):
    conv = sharp(DynamicConv2d(8, 12, **shape))
    x = torch.randn(3, 8, 9, 9)
    one_by_one = torch.cat([conv(sample[None]) for sample in x])
    torch.testing.assert_close(conv(x), one_by_one, atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sample_is_convolved_with_its_own_mix_of_kernels(shape):
    conv = sharp(DynamicConv2d(8, 12, **shape))
    x = torch.randn(2, 8, 9, 9)
    pi = conv.attention(x)
    assert (pi[0] - pi[1]).abs().max() > 0.01
    geometry = (conv.stride, conv.padding, conv.dilation, conv.groups)
    for i in range(2):
        weight = sum(pi[i, k] * conv.weight[k] for k in range(4))
        bias = None if conv.bias is None else sum(pi[i, k] * conv.bias[k] for k in range(4))
        torch.testing.assert_close(conv(x)[i], F.conv2d(x[i], weight, bias, *geometry), atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_endless_temperature_gives_the_mean_kernel(shape):
    conv = sharp(DynamicConv2d(8, 12, **shape))
    set_temperature(conv, 1e9)
    static = nn.Conv2d(8, 12, **{"bias": False, **shape})
    static.weight.data = conv.weight.data.mean(0)
    if conv.bias is not None:
        static.bias.data = conv.bias.data.mean(0)
    x = torch.randn(3, 8, 9, 9)
    torch.testing.assert_close(conv(x), static(x), atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_one_kernel_is_an_ordinary_convolution(shape):
    conv = DynamicConv2d(8, 12, kernels=1, **shape)
    static = nn.Conv2d(8, 12, **{"bias": False, **shape})
    static.weight.data = conv.weight.data[0]
    if conv.bias is not None:
        static.bias.data = conv.bias.data[0]
    x = torch.randn(3, 8, 9, 9)
    torch.testing.assert_close(conv(x), static(x), atol=1e-5, rtol=0)


def test_attention_is_near_uniform_at_the_start():
    conv = DynamicConv2d(64, 64, 1)
    pi = conv.attention(torch.randn(32, 64, 7, 7))
    entropy = -(pi * pi.log()).sum(1)
    assert entropy.min() > 0.98 * math.log(4)


def test_kernels_start_different_each_with_the_variance_of_a_static_convolution():
    conv = DynamicConv2d(64, 128, 3, kernels=4)
    flat = conv.weight.flatten(1)
    assert torch.corrcoef(flat).fill_diagonal_(0).abs().max() < 0.05
    # kaiming_uniform(a = sqrt 5): uniform in +-1/sqrt(fan_in), whose variance is 1 / (3 fan_in)
    torch.testing.assert_close(flat.var(1), torch.full((4,), 1 / (3 * 64 * 9)), rtol=0.05, atol=0)
    assert conv.attention.fc2.bias.count_nonzero() == 0


def test_every_kernel_and_the_attention_learn():
    conv = DynamicConv2d(8, 12, 1)
    conv(torch.randn(4, 8, 5, 5)).square().sum().backward()
    assert (conv.weight.grad.flatten(1).norm(dim=1) > 0).all()
    assert conv.attention.fc1.weight.grad.norm() > 0
    assert conv.attention.fc2.weight.grad.norm() > 0


def test_narrow_inputs_keep_four_hidden_units_that_are_not_off_for_all():
    attention = DynamicConv2d(8, 8, 1).attention
    assert attention.fc1.out_channels == 4
    hidden = attention.fc1(attention.pool(torch.randn(64, 8, 5, 5)))
    assert ((hidden > 0).float().mean((0, 2, 3)) > 0.2).all()


def test_parameter_count():
    conv = DynamicConv2d(16, 32, 3, kernels=4)
    attention = (16 * 4 + 4) + (4 * 4 + 4)
    assert sum(p.numel() for p in conv.parameters()) == 4 * 32 * 16 * 9 + attention


def test_the_temperature_is_saved_with_the_weights():
    model = nn.Sequential(DynamicConv2d(4, 4, 1), nn.ReLU(), DynamicConv2d(4, 4, 1))
    assert set_temperature(model, 4.5) == 2
    fresh = nn.Sequential(DynamicConv2d(4, 4, 1), nn.ReLU(), DynamicConv2d(4, 4, 1))
    fresh.load_state_dict(model.state_dict())
    assert [fresh[i].attention.temperature.item() for i in (0, 2)] == [4.5, 4.5]
    assert "0.attention.temperature" in model.state_dict()


def test_it_exports_with_a_fixed_batch():
    conv = sharp(DynamicConv2d(8, 12, 1)).eval()
    x = torch.randn(1, 8, 6, 6)
    exported = torch.export.export(conv, (x,)).module()
    torch.testing.assert_close(exported(x), conv(x))


def test_temperature_falls_linearly_over_ten_epochs():
    schedule = TemperatureSchedule()
    assert [schedule.value(epoch) for epoch in (0, 5, 10, 11, 200)] == [30.0, 15.5, 1.0, 1.0, 1.0]
    assert schedule.value(2.5) == 30 - 2.5 * 2.9


def test_a_schedule_of_no_epochs_is_at_its_end_at_once():
    assert TemperatureSchedule(epochs=0).value(0) == 1.0


@pytest.mark.parametrize("arguments", [{"start": 0}, {"end": -1}, {"epochs": -1}])
def test_an_impossible_schedule_is_refused(arguments):
    with pytest.raises(ValueError, match="must be above 0"):
        TemperatureSchedule(**arguments)


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(ValueError, match="must be above 0"):
        set_temperature(DynamicConv2d(4, 4, 1), 0)


@pytest.mark.parametrize("arguments", [{"kernels": 0}, {"reduction": 0}, {"groups": 3}])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        DynamicConv2d(4, 4, 1, **arguments)
