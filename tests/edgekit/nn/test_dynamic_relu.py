import pytest
import torch
from torch import nn

from edgekit.nn import DynamicReLU

HEADS = ("slope1", "slope2", "offset1", "offset2")


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def randomised(act: DynamicReLU, scale: float = 1.0) -> DynamicReLU:
    for parameter in act.parameters():
        nn.init.normal_(parameter, std=scale)
    return act


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("variant", ["a", "b"])
def test_a_new_block_is_exactly_relu(variant):
    x = torch.randn(3, 16, 5, 5)
    assert torch.equal(DynamicReLU(16, variant)(x), torch.relu(x))


def test_a_new_block_with_spatial_attention_is_a_third_of_relu():
    x = torch.randn(3, 16, 5, 5)
    torch.testing.assert_close(DynamicReLU(16, "c")(x), torch.relu(x) / 3)


@pytest.mark.parametrize("variant", ["a", "b", "c"])
@pytest.mark.parametrize("scale", [0.1, 10.0])
def test_coefficients_stay_in_their_ranges(variant, scale):
    act = randomised(DynamicReLU(16, variant), scale)
    slope1, slope2, offset1, offset2 = act.coefficients(torch.randn(20, 16, 4, 4))
    assert slope1.shape == (20, 1 if variant == "a" else 16, 1, 1)
    assert slope1.min() >= 0
    assert slope1.max() <= 2
    assert slope2.abs().max() <= 1
    assert max(offset1.abs().max(), offset2.abs().max()) <= 0.5
    assert slope1.std() > 0.001  # they do depend on the input


def test_the_value_is_the_larger_of_two_lines():
    act = randomised(DynamicReLU(16, "b"))
    x = torch.randn(2, 16, 4, 4)
    hidden = torch.relu(x.mean((2, 3)) @ act.fc1.weight.flatten(1).T + act.fc1.bias)
    # The paper's form: residuals 2 sigmoid(z) - 1, slopes 1 and 0, ranges 1 and 0.5.
    residual = [
        (2 * torch.sigmoid(hidden @ head.weight.flatten(1).T + head.bias) - 1)[..., None, None]
        for head in (act.slope1, act.slope2, act.offset1, act.offset2)
    ]
    lines = torch.stack([(1 + residual[0]) * x + 0.5 * residual[2], residual[1] * x + 0.5 * residual[3]])
    torch.testing.assert_close(act(x), lines.max(0).values)


def test_one_line_without_offset_is_a_channel_gate():
    act = DynamicReLU(4, "b")
    logits = torch.tensor([-0.2, -1.0, -2.0, -4.0])
    act.slope1.bias.data = logits
    slope = 2 * torch.sigmoid(logits)
    act.slope2.bias.data = 2 * torch.atanh(slope)  # the second line is made equal to the first
    x = torch.randn(2, 4, 3, 3)
    torch.testing.assert_close(act(x), x * slope.reshape(1, 4, 1, 1))


# C = 64, R = 8: the hidden layer has 64 * 8 + 8 = 520 parameters.
@pytest.mark.parametrize(
    ("variant", "parameters"),
    [("a", 520 + 4 * (8 + 1)), ("b", 520 + 4 * (8 * 64 + 64)), ("c", 520 + 4 * (8 * 64 + 64) + 64 + 1)],
)
def test_parameter_count(variant, parameters):
    assert count(DynamicReLU(64, variant)) == parameters


def test_narrow_inputs_keep_four_hidden_units_that_are_not_off_for_all():
    act = DynamicReLU(8)
    assert act.fc1.out_channels == 4
    hidden = act.fc1(act.pool(torch.randn(64, 8, 5, 5)))
    assert ((hidden > 0).float().mean((0, 2, 3)) > 0.2).all()


def test_spatial_attention_has_a_mean_of_a_third_and_is_clipped_at_one():
    act = randomised(DynamicReLU(8, "c"), scale=20.0)
    x = torch.randn(4, 8, 6, 5)
    unclipped = act.spatial_attention(x)
    assert unclipped.shape == (4, 1, 6, 5)
    torch.testing.assert_close(unclipped.mean((1, 2, 3)), torch.full((4,), 1 / 3))
    assert unclipped.min() >= 0
    assert unclipped.max() > 1
    slope1, slope2, offset1, offset2 = act.coefficients(x)
    pi = unclipped.clamp(max=1.0)
    scaled = torch.maximum(pi * slope1 * x + pi * offset1, pi * slope2 * x + pi * offset2)
    torch.testing.assert_close(act(x), scaled)


@pytest.mark.parametrize("variant", ["a", "b", "c"])
def test_the_heads_learn_from_the_start(variant):
    act = DynamicReLU(64, variant)
    act(torch.randn(4, 64, 5, 5)).sum().backward()
    names = HEADS if variant != "c" else (*HEADS, "spatial")
    assert all(getattr(act, name).weight.grad.norm() > 0 for name in names)


@pytest.mark.parametrize("variant", ["a", "b", "c"])
def test_it_exports(variant):
    act = randomised(DynamicReLU(16, variant)).eval()
    x = torch.randn(1, 16, 6, 6)
    torch.testing.assert_close(torch.export.export(act, (x,)).module()(x), act(x))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="variant 'd'; choose one of a, b, c"):
        DynamicReLU(8, "d")
    with pytest.raises(ValueError, match="reduction=0"):
        DynamicReLU(8, "b", reduction=0)
