"""Selective kernels: shares that sum to one, and what the block does when its branches agree."""

import copy

import pytest
import torch
from torch import nn

from edgekit.nn import SelectiveKernel

X = torch.randn(2, 8, 6, 6, generator=torch.Generator().manual_seed(0))


def block(**arguments):
    torch.manual_seed(0)
    return SelectiveKernel(8, 16, groups=4, **arguments).eval()


def test_the_shares_are_the_softmax_over_both_heads():
    sk = block()
    maps = [branch(X) for branch in sk.branches]
    pooled = (maps[0] + maps[1]).mean((2, 3), keepdim=True)
    logits = torch.stack([head(sk.squeeze(pooled)) for head in sk.heads])
    torch.testing.assert_close(sk.attention(maps), torch.softmax(logits, 0)[0])


def test_the_output_is_the_weighed_sum():
    sk = block()
    first, second = (branch(X) for branch in sk.branches)
    share = sk.attention([first, second])
    torch.testing.assert_close(sk(X), share * first + (1 - share) * second)


def test_equal_branches_give_the_branch():
    sk = block()
    sk.branches[1] = copy.deepcopy(sk.branches[0])
    torch.testing.assert_close(sk(X), sk.branches[0](X))


def test_a_branch_that_has_the_whole_share_is_the_convolution_alone():
    sk = block()
    nn.init.constant_(sk.heads[0].bias, 1e4)
    torch.testing.assert_close(sk(X), sk.branches[0](X))


def test_the_second_branch_sees_five_pixels():
    sk = block()
    conv = sk.branches[1].conv
    assert (conv.kernel_size, conv.dilation, conv.padding) == ((3, 3), (2, 2), (2, 2))


def test_stride_and_gradients():
    sk = block(stride=2).train()
    y = sk(X)
    assert y.shape == (2, 16, 3, 3)
    y.sum().backward()
    assert all(parameter.grad is not None for parameter in sk.parameters())


def test_groups_must_divide_the_channels():
    with pytest.raises(ValueError, match="groups=32; it must divide the 24 input and 64 output"):
        SelectiveKernel(24, 64)


def test_the_hidden_layer_has_at_least_32_channels():
    assert block().squeeze.conv.out_channels == 32
    assert SelectiveKernel(1024, 1024).squeeze.conv.out_channels == 64
    assert isinstance(block().squeeze.bn, nn.BatchNorm2d)
