import pytest
import torch
from torch import nn

from edgekit.models.layers import (
    HardSigmoid,
    SqueezeExcite,
    init_weights,
    round_channels,
    same_padding,
    strides_for,
)
from edgekit.nn import DynamicConv2d, DynamicReLU

MOBILENET = [2, 1, 2, 2, 2, 1, 2, 1]


@pytest.mark.parametrize(
    ("channels", "rounded"), [(32 * 0.35, 16), (3, 8), (12, 16), (11, 16), (8.8, 8), (36, 40), (35, 32)]
)
def test_channels_are_rounded_to_eights_and_lose_a_tenth_at_most(channels, rounded):
    assert round_channels(channels) == rounded


@pytest.mark.parametrize(
    ("image_size", "strides"),
    [
        (224, [2, 1, 2, 2, 2, 1, 2, 1]),
        (65, [2, 1, 2, 2, 2, 1, 2, 1]),
        (64, [1, 1, 2, 2, 2, 1, 2, 1]),
        (32, [1, 1, 1, 2, 2, 1, 2, 1]),
        (28, [1, 1, 1, 2, 2, 1, 2, 1]),
        (16, [1, 1, 1, 1, 2, 1, 2, 1]),
        (8, [1, 1, 1, 1, 1, 1, 2, 1]),
    ],
)
def test_strides_are_eased_from_the_front_until_the_last_map_is_four_wide(image_size, strides):
    assert strides_for(image_size, MOBILENET) == strides


@pytest.mark.parametrize(
    ("kernel", "stride", "size", "pads"),
    [
        (3, 1, 7, (1, 1)),
        (5, 1, 8, (2, 2)),
        (3, 2, 224, (0, 1)),
        (3, 2, 65, (1, 1)),
        (5, 2, 56, (1, 2)),
        (5, 2, 15, (2, 2)),
        (3, 2, None, (1, 1)),
    ],
)
def test_same_padding_is_tensorflows(kernel, stride, size, pads):
    pad, padding = same_padding(kernel, stride, size)
    if pads[0] == pads[1]:
        assert (pad, padding) == (None, pads[0])
    else:
        assert padding == 0
        assert pad.padding == (*pads, *pads)
    if size is not None:
        conv = nn.Conv2d(1, 1, kernel, stride, padding)
        x = torch.zeros(1, 1, size, size)
        assert conv(x if pad is None else pad(x)).shape[-1] == -(-size // stride)


def test_the_hard_sigmoid_is_torchs_and_saves_nothing():
    x = torch.linspace(-5, 5, 101).reshape(1, 1, 1, -1)
    torch.testing.assert_close(HardSigmoid()(x), nn.functional.hardsigmoid(x))
    assert not HardSigmoid().state_dict()


def test_squeeze_and_excitation_weighs_channels():
    block = SqueezeExcite(4, 2)
    nn.init.zeros_(block.fc2.weight)
    block.fc2.bias.data = torch.tensor([-3.0, 0.0, 1.5, 3.0])  # hardsigmoid: 0, 1/2, 3/4, 1
    y = block(torch.ones(1, 4, 2, 2))
    torch.testing.assert_close(y[0, :, 0, 0], torch.tensor([0.0, 0.5, 0.75, 1.0]))


def test_initialisation_leaves_dynamic_blocks_their_own():
    model = nn.Sequential(DynamicConv2d(8, 8, 1), DynamicReLU(8), nn.Conv2d(8, 8, 3, bias=True))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    init_weights(model)
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {"2.weight", "2.bias"}
