"""The increment by rank that IncReg and SPP share, and how many steps it takes until the last group is gone.

Papers: 1804.09461 and 1709.06994; the released code (Caffe_IncReg, sgd_solver.cpp) has this form.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

U = 0.25  # the increment's share that is left at two thirds of the way, where its curve turns
SHAPES = ("exp", "linear")
_PLAYED = 200
_ROUNDING = 1e-9  # 20 times 0.05 is not quite 1


def exponential(positions: Tensor, going: Tensor | int, a: float, u: float = U) -> Tensor:
    """Return the centre-symmetric exponential increment at each position of the ranking.

    It falls from A at 0 through u * A at N1 = -ln(u) / alpha to 0 at ``going``, and below: groups that
    rank well are strengthened. alpha = ln(2 / u) / going.

    Args:
        positions: 0 is the least important of the groups that are left.
        going: how many of these have yet to go, at least 1; a tensor is one for each row.

    Example:
        >>> exponential(torch.tensor([0.0, 100.0]), going=100, a=1.0).round(decimals=3).tolist()
        [1.0, 0.0]
    """
    alpha = math.log(2 / u) / torch.as_tensor(going).double()
    turn = -math.log(u) / alpha
    j = positions.double()
    before = a * torch.exp(-alpha * j)
    after = 2 * u * a - a * torch.exp(-alpha * (2 * turn - j))
    return torch.where(j < turn, before, after)


def linear(positions: Tensor, going: Tensor | int, a: float, groups: Tensor | int) -> Tensor:
    """Return the increment of 1811.08390: A at 0, 0 at ``going``, -A at the last of ``groups`` groups."""
    j, going = positions.double(), torch.as_tensor(going).double()
    rest = (groups - going - 1).clamp(min=1)
    return torch.where(j <= going, a - a / going * j, -a / rest * (j - going))


def increments(shape: str, positions: Tensor, going: Tensor | int, a: float, groups: Tensor | int) -> Tensor:
    """Return the increment of ``shape`` at each position, float64."""
    return exponential(positions, going, a) if shape == "exp" else linear(positions, going, a, groups)


def check_shape(shape: str) -> str:
    """Return ``shape``, one of ``SHAPES``.

    Raises:
        ValueError: it is another.
    """
    if shape not in SHAPES:
        raise ValueError(f"increment is {shape!r}; allowed: {', '.join(SHAPES)}")
    return shape


def updates_needed(sizes: Iterable[tuple[int, int]], shape: str, a: float, limit: float) -> int:
    """Return the updates until the last group of the slowest layer is at ``limit``, if ranks do not change.

    That is 2 to 7 times ``limit / a``, what the least important group takes: the middle ranks get on
    only when the lower ones are gone.

    Args:
        sizes: of each layer: how many groups it has, how many of them go.
    """
    # The duration is proportional to limit / a: more steps than these would only take longer to play.
    quick = max(a, limit / _PLAYED)
    most = max((_updates(n, count, shape, quick, limit) for n, count in set(sizes)), default=0)
    return math.ceil(most * quick / a)


def _updates(groups: int, count: int, shape: str, a: float, limit: float) -> int:
    value = torch.zeros(groups, dtype=torch.float64)
    gone = update = 0
    while gone < count:
        left = groups - gone
        value[gone:] += increments(shape, torch.arange(left), count - gone, a, left)
        value.clamp_(min=0)
        # The lowest rank is the first to arrive, so those that are gone come first.
        gone = min(count, int((value >= limit - _ROUNDING).sum()))
        update += 1
    return update
