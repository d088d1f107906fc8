"""Dynamic convolution: K parallel kernels, mixed anew for every input.

Paper: Chen et al., "Dynamic Convolution: Attention over Convolution Kernels", CVPR 2020,
https://arxiv.org/abs/1912.03458. Ours differs in two points: the attention's two layers are 1x1
convolutions on the pooled (C, 1, 1) map, so that an export keeps them in one delegate, and the
temperature is a buffer, so that a checkpoint remembers where its annealing stood.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

START_TEMPERATURE = 30.0
MIN_HIDDEN = 4  # fewer units behind a ReLU are too easily all off


class KernelAttention(nn.Module):
    """Weights of K kernels for each input: softmax(FC2(ReLU(FC1(pool(x)))) / temperature).

    Args:
        channels: C of the input.
        kernels: K.
        reduction: the hidden layer has C / reduction channels, at least 4.
    """

    def __init__(self, channels: int, kernels: int = 4, reduction: int = 4):
        super().__init__()
        hidden = max(MIN_HIDDEN, channels // reduction)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.act = nn.ReLU()
        self.fc2 = nn.Conv2d(hidden, kernels, 1)
        # After batch norm pooled values scatter around zero: without an offset each hidden unit is
        # on for about half of the inputs, with one it may be off for all.
        nn.init.zeros_(self.fc1.bias)
        nn.init.zeros_(self.fc2.bias)
        # A high temperature keeps the mix near uniform at first, so that every kernel learns.
        self.register_buffer("temperature", torch.tensor(START_TEMPERATURE))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the kernels' weights, shape (B, K); each row is positive and sums to one."""
        logits = on_pooled(self.fc2, self.act(on_pooled(self.fc1, self.pool(x).flatten(1))))  # (B, K)
        return torch.softmax(logits / self.temperature, dim=1)


def on_pooled(conv: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    """Return a 1x1 convolution of a map with one position, (B, C) -> (B, N), as the matrix product it is.

    PyTorch's CPU convolution takes several times as long for it, and a net has hundreds of them.
    """
    return F.linear(x, conv.weight.flatten(1), conv.bias)


class DynamicConv2d(nn.Module):
    """Convolve each input with its own mix of K kernels.

    Takes the arguments of ``nn.Conv2d`` (zero padding only), and:

    Args:
        kernels: K, how many kernels are mixed.
        reduction: of the attention's hidden layer.

    Raises:
        ValueError: ``kernels`` or ``reduction`` below one, or channels that ``groups`` does not divide.

    Example:
        >>> conv = DynamicConv2d(16, 32, 1, kernels=4)
        >>> conv(torch.rand(2, 16, 8, 8)).shape
        torch.Size([2, 32, 8, 8])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = False,
        kernels: int = 4,
        reduction: int = 4,
    ):
        super().__init__()
        if kernels < 1 or reduction < 1:
            raise ValueError(f"kernels={kernels}, reduction={reduction}; both must be 1 or more")
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"groups={groups}; it must divide the {in_channels} input and {out_channels} output channels"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.padding = _pair(padding)
        self.dilation = _pair(dilation)
        self.groups = groups
        self.kernels = kernels
        self.attention = KernelAttention(in_channels, kernels, reduction)
        shape = (kernels, out_channels, in_channels // groups, *self.kernel_size)
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.empty(kernels, out_channels)) if bias else None
        self.reset_parameters()

    @property
    def is_pointwise(self) -> bool:
        """Whether each output position sees one input position and all channels."""
        return self.kernel_size == (1, 1) and self.padding == (0, 0) and self.groups == 1

    def reset_parameters(self) -> None:
        """Draw every kernel anew, as ``nn.Conv2d`` draws its one.

        Each kernel is drawn on its own: equal kernels would get equal gradients up to a factor
        and stay almost equal forever.
        """
        for kernel in self.weight:
            nn.init.kaiming_uniform_(kernel, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight[0, 0].numel())
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the convolved input: (B, C, H, W) -> (B, N, H', W')."""
        batch, _, height, width = x.shape
        pi = self.attention(x)  # (B, K)
        kernels, out_channels, *kernel_shape = self.weight.shape
        weight = pi @ self.weight.reshape(kernels, -1)  # (B, N * C/groups * kh * kw)
        if self.is_pointwise:
            # A convolution in as many groups as inputs is slow on the CPU; this is one batched product.
            x = x[:, :, :: self.stride[0], :: self.stride[1]]
            y = torch.bmm(weight.reshape(batch, out_channels, -1), x.flatten(2))  # (B, N, H' * W')
            if self.bias is not None:
                y = y + (pi @ self.bias).unsqueeze(2)
            return y.reshape(batch, out_channels, *x.shape[2:])
        weight = weight.reshape(batch * out_channels, *kernel_shape)
        bias = None if self.bias is None else (pi @ self.bias).reshape(-1)  # (B * N,)
        # One group per input (times the conv's own groups): each meets only its own kernel.
        x = x.reshape(1, -1, height, width)  # (1, B * C, H, W)
        y = F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, batch * self.groups)
        return y.reshape(batch, out_channels, *y.shape[2:])

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, groups={self.groups}, "
            f"bias={self.bias is not None}, kernels={self.kernels}"
        )


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value
