"""Smaller kernels where whole positions of a convolution's kernel are zero in every filter."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from runtime.errors import PruneError

KernelPlan = dict[str, tuple[int, int]]
"""Heights and widths that kernels shrink to, about their centre, by the convolution's name."""


def centred_size(alive: torch.Tensor) -> tuple[int, int]:
    """Return the least odd height and width about the centre that hold all True of ``alive``, shape (kh, kw).

    Example:
        >>> centred_size(torch.tensor([[0, 0, 0], [1, 1, 0], [0, 0, 0]]).bool())
        (1, 3)
    """
    return _extent(alive.any(1)), _extent(alive.any(0))


def _extent(alive: torch.Tensor) -> int:
    centre = len(alive) // 2
    far = (alive.nonzero().flatten() - centre).abs()
    return 2 * int(far.max()) + 1 if len(far) else 1


def shrink_kernels(model: nn.Module, plan: Mapping[str, tuple[int, int]], *, exact: bool = True) -> None:
    """Cut the kernels of ``model`` as ``plan`` says, in place; padding shrinks as much.

    Args:
        exact: what is cut off must be zero, so that the network computes what it did.

    Raises:
        PruneError: there is no such convolution, its kernel cannot be cut so, or what is cut off is not zero.
    """
    modules = dict(model.named_modules())
    for name, size in plan.items():
        conv = modules.get(name)
        if not isinstance(conv, nn.Conv2d) or not _fits(conv, size):
            raise PruneError(
                f"the plan cuts the kernel of {name!r} to {size[0]}x{size[1]}, which this model's cannot be; "
                "use the plan's model"
            )
        top, left = ((k - s) // 2 for k, s in zip(conv.kernel_size, size, strict=True))
        kept = conv.weight.detach()[:, :, top : top + size[0], left : left + size[1]]
        if exact and kept.count_nonzero() != conv.weight.detach().count_nonzero():
            raise PruneError(f"the kernel of {name!r} is not zero outside of {size[0]}x{size[1]}; cut less")
        conv.weight = nn.Parameter(kept.clone(memory_format=torch.contiguous_format))
        conv.padding = tuple(
            pad - dilation * margin
            for pad, dilation, margin in zip(conv.padding, conv.dilation, (top, left), strict=True)
        )
        conv.kernel_size = size


def can_shrink(conv: nn.Module) -> bool:
    """Return whether the kernel of ``conv`` is one that may be cut about its centre."""
    return (
        isinstance(conv, nn.Conv2d)
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
        and all(k % 2 for k in conv.kernel_size)
        and all(
            pad >= dilation * (k // 2)
            for pad, dilation, k in zip(conv.padding, conv.dilation, conv.kernel_size, strict=True)
        )
    )


def _fits(conv: nn.Conv2d, size: tuple[int, int]) -> bool:
    return can_shrink(conv) and all(0 < s <= k and s % 2 for s, k in zip(size, conv.kernel_size, strict=True))
