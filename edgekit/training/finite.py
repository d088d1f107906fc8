"""Where numbers stop being numbers: the first layer of a network whose output is not finite."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


def first_not_finite(model: nn.Module, run: Callable[[], object]) -> str | None:
    """Return the name of the first layer whose output is not finite while ``run`` uses ``model``.

    A layer here is a module without parts. ``None``: all outputs are finite, so the loss is to blame.
    """
    found: list[str] = []

    def look(name: str, output: object) -> None:
        if not found and isinstance(output, torch.Tensor) and not torch.isfinite(output).all():
            found.append(name)

    handles = [
        layer.register_forward_hook(lambda _, __, output, name=name: look(name, output))
        for name, layer in model.named_modules()
        if not any(layer.children())
    ]
    try:
        with torch.no_grad():
            run()
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else None
