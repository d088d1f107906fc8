"""Spatial group-wise enhance: what a new block does, and the published code's numbers."""

import pytest
import torch
from torch import nn

from edgekit.nn import SpatialGroupEnhance

X = torch.randn(2, 12, 5, 4, generator=torch.Generator().manual_seed(0))


def block():
    torch.manual_seed(0)
    made = SpatialGroupEnhance(12, groups=3)
    nn.init.normal_(made.scale)
    nn.init.normal_(made.shift)
    return made


def published(x, weight, bias, groups):
    """The arithmetic of PytorchInsight's resnet_sge.py, whose epsilon stands beside the deviation."""
    B, C, H, W = x.shape
    x = x.reshape(B * groups, C // groups, H, W)
    t = (x * x.mean((2, 3), keepdim=True)).sum(1).reshape(B * groups, -1)
    t = (t - t.mean(1, keepdim=True)) / (t.std(1, keepdim=True) + 1e-5)
    t = t.reshape(B, groups, H, W) * weight.reshape(1, -1, 1, 1) + bias.reshape(1, -1, 1, 1)
    return (x * torch.sigmoid(t.reshape(B * groups, 1, H, W))).reshape(B, C, H, W)


def test_a_new_block_is_a_constant_factor():
    expected = X * torch.sigmoid(torch.ones(()))
    torch.testing.assert_close(SpatialGroupEnhance(12, groups=3)(X), expected)


def test_the_numbers_are_the_published_codes():
    made = block()
    torch.testing.assert_close(made(X), published(X, made.scale, made.shift, 3), rtol=1e-3, atol=1e-4)


def test_it_has_two_parameters_per_group_which_no_weight_decay_reaches():
    assert [tuple(parameter.shape) for parameter in block().parameters()] == [(3,), (3,)]


@pytest.mark.parametrize(
    "x", [torch.zeros(2, 12, 4, 4), torch.ones(2, 12, 1, 1)], ids=["dead", "one position"]
)
def test_a_constant_map_has_finite_gradients(x):
    made, x = block(), x.clone().requires_grad_()
    made(x).sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in made.parameters())
    assert x.grad.isfinite().all()


def test_groups_must_divide_the_channels():
    with pytest.raises(ValueError, match="groups=8; it must divide the 12 channels"):
        SpatialGroupEnhance(12)
