"""Functions of single values, as those that the engines' delegates have kernels for."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

Tensor = torch.Tensor
_MOST_FACTORS = 16  # of a whole power; more would lose digits


def power(x: Tensor, exponent: float) -> Tensor:
    """Write a power as products, roots and quotients; any other as an exponential, of positive values."""
    if not x.is_floating_point() or (exponent == 2 and isinstance(exponent, int)):
        return NotImplemented
    if exponent < 0:
        return (x if exponent == -1 else power_of(x, -exponent)).reciprocal()
    return power_of(x, exponent)


def power_for_litert(x: Tensor, exponent: float) -> Tensor:
    """Write a power as ``power`` does, a square of more than four axes as a product: LiteRT has no other."""
    return x * x if exponent == 2 and x.ndim > 4 else power(x, exponent)


def power_of(x: Tensor, exponent: float) -> Tensor:
    """Return ``x`` to the power of ``exponent``, which is at least 0."""
    whole, rest = int(exponent // 1), exponent % 1
    if whole > _MOST_FACTORS or rest not in (0, 0.5):
        return (x.log() * float(exponent)).exp()
    factors = [x.sqrt()] if rest else []
    square = x
    while whole:
        if whole % 2:
            factors.append(square)
        whole //= 2
        square = square * square if whole else square
    if not factors:
        return torch.ones(tuple(x.shape), dtype=x.dtype)
    return math.prod(factors[1:], start=factors[0]) if len(factors) > 1 or rest else factors[0] * 1.0


def power_by_tensor(x: Tensor, exponent: Tensor) -> Tensor:
    """Write a power by a learnt exponent, of positive values, as an exponential."""
    return (x.log() * exponent).exp() if x.is_floating_point() else NotImplemented


def power_of_two(x: Tensor) -> Tensor:
    """Write 2 to the power of ``x`` as an exponential."""
    return (x * math.log(2)).exp() if x.is_floating_point() else NotImplemented


def hypotenuse(x: Tensor, y: Tensor) -> Tensor:
    """Write it as the root of the squares."""
    return (x * x + y * y).sqrt()


def remainder(x: Tensor, by: Any) -> Tensor:
    """Write the remainder that has the sign of the divisor, as ``%`` gives it."""
    return x - (x / by).floor() * by if x.is_floating_point() else NotImplemented


def trunc(x: Tensor) -> Tensor:
    """Write the rounding towards 0 as that of each side of 0 downwards."""
    return x.relu().floor() - (-x).relu().floor() if x.is_floating_point() else NotImplemented


def reciprocal(x: Tensor) -> Tensor:
    """Write it as a quotient."""
    return torch.full((1,) * x.ndim, 1.0, dtype=x.dtype) / x if x.is_floating_point() else NotImplemented


def softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Write log(1 + exp(x)) so that nothing overflows, without a condition."""
    scaled = x if beta == 1 else x * float(beta)
    found = scaled.relu() + ((-scaled.abs()).exp() + 1.0).log()
    return found if beta == 1 else found * (1.0 / beta)


def mish(x: Tensor) -> Tensor:
    """Write x tanh(softplus(x))."""
    return x * softplus(x).tanh()


def log_sigmoid(x: Tensor) -> Tensor:
    """Write log(sigmoid(x)) as a softplus."""
    return -softplus(-x)


def elu(x: Tensor, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Tensor:
    """Write ELU, and SELU and CELU with it, as a sum of both sides of 0."""
    below = -((-x).relu())
    below = below if input_scale == 1 else below * float(input_scale)
    found = x.relu() + (below.exp() - 1.0) * float(alpha)
    return found if scale == 1 else found * float(scale)


def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Write CELU as the ELU that it is."""
    return elu(x, alpha, 1.0, 1.0 / alpha)


def hardsigmoid(x: Tensor) -> Tensor:
    """Write it with floats: ExecuTorch makes integer tensors of its constants."""
    return (x * (1.0 / 6.0) + 0.5).clamp(0.0, 1.0)


def gelu(x: Tensor, *, approximate: str = "none") -> Tensor:
    """Write its approximation by tanh out: ExecuTorch 1.5.1 computes the exact one instead."""
    if approximate != "tanh":
        return NotImplemented
    inner = (x + x * x * x * 0.044715) * math.sqrt(2.0 / math.pi)
    return x * 0.5 * (inner.tanh() + 1.0)


def log_softmax(x: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """Write it with the largest value taken off, so that nothing overflows.

    The quotient keeps LiteRT's converter from making one op of it again, which its delegate leaves.
    """
    apart = x - x.amax(dim, keepdim=True)
    return apart + (1.0 / apart.exp().sum(dim, keepdim=True)).log()


def clamp_to_one(x: Tensor, low: float | None = None, high: float | None = None) -> Tensor:
    """Write a clamp to [0, 1] otherwise: LiteRT's converter makes an op of it that XNNPACK lacks."""
    if (low, high) != (0, 1):
        return NotImplemented
    return (x.relu() * -1.0 + 1.0).relu() * -1.0 + 1.0


def sign(x: Tensor) -> Tensor:
    """Write it as a clamp of what is far from 0."""
    return (x * 1e38).clamp(-1.0, 1.0) if x.is_floating_point() else NotImplemented


def clamp_by_tensors(x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    """Write a clamp between tensors as a maximum and a minimum."""
    x = x if low is None else torch.maximum(x, low)
    return x if high is None else torch.minimum(x, high)


def subtract_from(x: Tensor, other: Any, alpha: float = 1) -> Tensor:
    """Write ``other - x`` as a sum: behind a layer litert-torch 0.10 takes it for ``x - other``."""
    return x * -alpha + other


def scaled_sum(sign: float) -> Any:
    """Return ``add`` or ``sub`` whose second operand has a factor."""

    def add(x: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
        if alpha == 1:
            return NotImplemented
        return x + other * (sign * alpha)

    return add


def by_scalar(operation: Any) -> Any:
    """Return an op with a number as second operand, as that with a tensor of one value."""
    return lambda x, other, *rest: operation(x, other) if not rest or rest == (1,) else NotImplemented


def hardtanh(x: Tensor, low: float = -1.0, *high: float) -> Tensor:
    """Write a clamp whose upper limit is the default, left out: ExecuTorch 1.5.1 fails on it."""
    return NotImplemented if high else F.hardtanh(x, low, 1.0)
