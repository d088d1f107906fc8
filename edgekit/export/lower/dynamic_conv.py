"""Export forms of dynamic convolution: every op stays in one XNNPACK delegate.

A convolution whose weight is computed at run time leaves the delegate (280x slower on a toy net),
so a pointwise one becomes a matrix product, and any other becomes K static convolutions whose
outputs are mixed, which is equal because convolution is linear. Both are for batch 1.
Paper: https://arxiv.org/abs/1912.03458
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from edgekit.nn import DynamicConv2d, KernelAttention


def lower_dynamic_conv(conv: DynamicConv2d) -> nn.Module:
    """Return the export form of ``conv``: equal for batch 1, shape (1, C, H, W) -> (1, N, H', W')."""
    pointwise = conv.kernel_size == (1, 1) and conv.groups == 1 and conv.padding == (0, 0)
    return PointwiseDynamicConv(conv) if pointwise else StaticKernels(conv)


class FoldedAttention(nn.Module):
    """``KernelAttention`` with the temperature divided into its last layer."""

    def __init__(self, attention: KernelAttention):
        super().__init__()
        self.pool, self.fc1, self.act = attention.pool, attention.fc1, attention.act
        self.fc2 = copy.deepcopy(attention.fc2)
        with torch.no_grad():
            self.fc2.weight /= attention.temperature
            self.fc2.bias /= attention.temperature

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the kernels' weights, shape (1, K)."""
        # Softmax is delegated over the last dimension only, hence the flattening before it.
        return torch.softmax(self.fc2(self.act(self.fc1(self.pool(x)))).flatten(1), dim=-1)


class PointwiseDynamicConv(nn.Module):
    """A dynamic 1x1 convolution as ``bmm(mixed weight, feature map)``.

    The mix is a linear layer K -> N * C with the kernels as its constant weight.
    """

    def __init__(self, conv: DynamicConv2d):
        super().__init__()
        kernels, out_channels, in_channels = conv.weight.shape[:3]
        self.shape = (1, out_channels, in_channels)
        self.subsample = _subsample(in_channels, conv.stride)
        self.attention = FoldedAttention(conv.attention)
        self.mix = _mix(conv.weight.reshape(kernels, -1))
        self.mix_bias = None
        self.register_buffer("bias", None)
        if conv.bias is not None:
            if (conv.bias == conv.bias[0]).all():  # the same in all kernels, as after a folded batch norm
                self.bias = conv.bias[0].detach().reshape(1, -1, 1).clone()  # (1, N, 1)
            else:
                self.mix_bias = _mix(conv.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pi = self.attention(x)  # (1, K)
        x = self.subsample(x)
        height, width = x.shape[2:]
        weight = self.mix(pi).reshape(self.shape)  # (1, N, C)
        y = torch.bmm(weight, x.flatten(2))  # (1, N, HW)
        if self.bias is not None:
            y = y + self.bias
        elif self.mix_bias is not None:
            y = y + self.mix_bias(pi).unsqueeze(2)
        return y.reshape(1, -1, height, width)


class StaticKernels(nn.Module):
    """A dynamic convolution as K static ones, outputs weighed and summed: K times the arithmetic."""

    def __init__(self, conv: DynamicConv2d):
        super().__init__()
        self.attention = FoldedAttention(conv.attention)
        self.kernels = nn.ModuleList(_static(conv, k) for k in range(len(conv.weight)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pi = self.attention(x).unsqueeze(2).unsqueeze(3)  # (1, K, 1, 1)
        y = self.kernels[0](x) * pi.narrow(1, 0, 1)
        for k, kernel in enumerate(self.kernels[1:], start=1):
            y = y + kernel(x) * pi.narrow(1, k, 1)
        return y


def _mix(rows: torch.Tensor) -> nn.Linear:
    """Return a linear layer that mixes ``rows``, shape (K, M): (1, K) -> (1, M)."""
    linear = nn.Linear(*rows.shape, bias=False)
    with torch.no_grad():
        linear.weight.copy_(rows.T)
    return linear


def _static(conv: DynamicConv2d, k: int) -> nn.Conv2d:
    # A view of one big parameter would not count as a constant: each convolution owns its weight.
    static = nn.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding, conv.dilation,
        conv.groups, bias=conv.bias is not None,
    )
    with torch.no_grad():
        static.weight.copy_(conv.weight[k])
        if conv.bias is not None:
            static.bias.copy_(conv.bias[k])
    return static


def _subsample(channels: int, stride: tuple[int, int]) -> nn.Module:
    """Return a module that keeps every ``stride``-th row and column.

    A strided slice leaves the delegate; a depthwise 1x1 convolution with ones does not.
    """
    if stride == (1, 1):
        return nn.Identity()
    conv = nn.Conv2d(channels, channels, 1, stride, groups=channels, bias=False)
    nn.init.ones_(conv.weight)
    return conv
