"""Export forms of dynamic convolution: every op stays in one XNNPACK delegate.

A convolution whose weight is computed at run time leaves the delegate (280x slower on a toy net), so
it becomes a matrix product, of shifted maps where the kernel is larger than 1x1; one in groups
becomes K static convolutions whose outputs are mixed, which is equal because convolution is linear.
What else was tried and how long it takes: tests/benchmarks/export_latency.py. For batch 1.
Paper: https://arxiv.org/abs/1912.03458
"""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn

from edgekit.nn import DynamicConv2d, KernelAttention

_JOINED = 5  # tensors that LiteRT's delegate joins in one op at most


def lower_dynamic_conv(conv: DynamicConv2d) -> nn.Module:
    """Return the export form of ``conv``: equal for batch 1, shape (1, C, H, W) -> (1, N, H', W')."""
    if len(conv.weight) == 1:
        return _static(conv, 0)
    is_product = conv.groups == 1 and math.prod(conv.kernel_size) <= _JOINED**2
    return DynamicProduct(conv) if is_product else StaticKernels(conv)


class FoldedAttention(nn.Module):
    """``KernelAttention`` on a pooled map: its two layers linear, the temperature divided into the last."""

    keeps_float = True  # when the model is quantised

    def __init__(self, attention: KernelAttention):
        super().__init__()
        self.fc1, self.act, self.fc2 = _linear(attention.fc1), attention.act, _linear(attention.fc2)
        with torch.no_grad():
            self.fc2.weight /= attention.temperature
            self.fc2.bias /= attention.temperature

    def forward(self, pooled: torch.Tensor) -> torch.Tensor:
        """Return the kernels' weights: (1, C) -> (1, K)."""
        return torch.softmax(self.fc2(self.act(self.fc1(pooled))), dim=-1)


class DynamicProduct(nn.Module):
    """A dynamic convolution as a product of the channels-last map with the mixed weight.

    As the K weights sum to one, the mix is ``W_0 + sum over k > 0 of pi_k (W_k - W_0)``: a linear
    layer of K - 1 inputs whose bias is the first kernel, so XNNPACK, which keeps a bias for every
    output anyway, reads K instead of K + 1 numbers for each weight. On one core this read from
    memory is most of what a dynamic convolution costs.

    Attributes:
        channels_last: as LiteRT likes it. It keeps the channels-last view, so pooling the other one
            would move the map; ExecuTorch delegates only the other one.
    """

    channels_last = False
    keeps_float = True  # when the model is quantised

    def __init__(self, conv: DynamicConv2d):
        super().__init__()
        kernels, self.out_channels = conv.weight.shape[:2]
        self.inputs, self.others = conv.weight[0, 0].numel(), kernels - 1
        self.kernel_size, self.padding, self.dilation = conv.kernel_size, conv.padding, conv.dilation
        self.subsample = _subsample(conv.in_channels, conv.stride)
        self.attention = FoldedAttention(conv.attention)
        self.mix = _mix(conv.weight.permute(0, 3, 4, 2, 1).reshape(kernels, -1))  # rows of kh * kw * C * N
        self.mix_bias = None
        self.register_buffer("bias", None)
        if conv.bias is not None:
            if (conv.bias == conv.bias[0]).all():  # the same in all kernels, as after a folded batch norm
                self.bias = conv.bias[0].detach().clone()  # (N,)
            else:
                self.mix_bias = _mix(conv.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the convolved input: (1, C, H, W) -> (1, N, H', W')."""
        pi = self.attention(pool(x, self.channels_last)).narrow(1, 1, self.others)  # (1, K - 1)
        maps = self.shifted_maps(x)
        height, width = maps[0].shape[2:]
        y = torch.bmm(self.flatten(maps), self.mix(pi).reshape(1, self.inputs, self.out_channels))
        # Before the bias: the other order makes LiteRT copy the map.
        y = y.reshape(1, height, width, self.out_channels)
        if self.bias is not None:
            y = y + self.bias
        elif self.mix_bias is not None:
            y = y + self.mix_bias(pi).reshape(-1)
        # With channels-last strides PyTorch writes later poolings as as_strided, which is not delegated.
        return y.permute(0, 3, 1, 2).contiguous()

    def shifted_maps(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return for each position of the kernel the part of ``x`` that it meets, each (1, C, H', W')."""
        if self.kernel_size == (1, 1) and self.padding == (0, 0):
            return [self.subsample(x)]
        (rows, columns), (down, right) = self.padding, self.dilation
        axis, margins = 2, (columns, columns, rows, rows)
        if self.channels_last:  # throughout, or LiteRT turns the map before and after
            axis, margins, x = 1, (0, 0, *margins), x.permute(0, 2, 3, 1)
        x = F.pad(x, margins)
        height = x.shape[axis] - down * (self.kernel_size[0] - 1)
        width = x.shape[axis + 1] - right * (self.kernel_size[1] - 1)
        shifts = itertools.product(*map(range, self.kernel_size))
        maps = [x.narrow(axis, i * down, height).narrow(axis + 1, j * right, width) for i, j in shifts]
        if self.channels_last:
            maps = [part.permute(0, 3, 1, 2) for part in maps]
        return [self.subsample(part) for part in maps]

    def flatten(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Return the maps side by side, positions in a row: (1, H' * W', kh * kw * C)."""
        if not self.channels_last:
            return _join(maps, 1).permute(0, 2, 3, 1).reshape(1, -1, self.inputs)
        maps = [part.permute(0, 2, 3, 1) for part in maps]
        parts = [_join(maps[k : k + _JOINED], 3) for k in range(0, len(maps), _JOINED)]
        # The reshape between keeps LiteRT's converter from joining all in one op, outside the delegate.
        return _join([part.reshape(1, -1, part.shape[3]) for part in parts], 2)


class StaticKernels(nn.Module):
    """A dynamic convolution as K static ones, outputs weighed and summed: K times the arithmetic."""

    channels_last = False
    keeps_float = True  # when the model is quantised

    def __init__(self, conv: DynamicConv2d):
        super().__init__()
        self.attention = FoldedAttention(conv.attention)
        self.kernels = nn.ModuleList(_static(conv, k) for k in range(len(conv.weight)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pi = self.attention(pool(x, self.channels_last)).unsqueeze(2).unsqueeze(3)  # (1, K, 1, 1)
        y = self.kernels[0](x) * pi.narrow(1, 0, 1)
        for k, kernel in enumerate(self.kernels[1:], start=1):
            y = y + kernel(x) * pi.narrow(1, k, 1)
        return y


def _join(tensors: list[torch.Tensor], dim: int) -> torch.Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors, dim)


def pool(x: torch.Tensor, channels_last: bool) -> torch.Tensor:
    """Return the mean over positions: (1, C, H, W) -> (1, C)."""
    # Without keepdim the mean is outside ExecuTorch's delegate.
    return x.permute(0, 2, 3, 1).mean((1, 2)) if channels_last else x.mean((2, 3), keepdim=True).flatten(1)


def _linear(conv: nn.Conv2d) -> nn.Linear:
    """Return a 1x1 convolution of a map with one position as the linear layer it is."""
    linear = nn.Linear(conv.in_channels, conv.out_channels)
    with torch.no_grad():
        linear.weight.copy_(conv.weight.flatten(1))
        linear.bias.copy_(conv.bias)
    return linear


def _mix(rows: torch.Tensor) -> nn.Linear:
    """Return a layer that mixes ``rows``, shape (K, M), by all weights but the first: (1, K-1) -> (1, M)."""
    linear = nn.Linear(len(rows) - 1, rows.shape[1])
    with torch.no_grad():
        linear.weight.copy_((rows[1:] - rows[:1]).T)
        linear.bias.copy_(rows[0])
    return linear


def _static(conv: DynamicConv2d, k: int) -> nn.Conv2d:
    # A view of one big parameter would not count as a constant: each convolution owns its weight.
    static = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,
        conv.stride,
        conv.padding,
        conv.dilation,
        conv.groups,
        bias=conv.bias is not None,
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
