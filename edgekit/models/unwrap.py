"""Networks without what only runs them: torch.compile, DataParallel and its kind."""

from __future__ import annotations

import torch
from torch import nn


def unwrap(model: nn.Module) -> nn.Module:
    """Return ``model`` without what only runs it: torch.compile, DataParallel and its kind."""
    while (inner := _inside(model)) is not None:
        model = inner
    return model


def unwrap_parts(model: nn.Module) -> None:
    """Unwrap the modules inside ``model``, in place."""
    if isinstance(model, torch.jit.ScriptModule):
        return
    for module in model.modules():
        if module._compiled_call_impl is not None:  # of module.compile()
            module._compiled_call_impl = None
        for name, child in module._modules.items():
            if child is not None:
                module._modules[name] = unwrap(child)


def _inside(model: nn.Module) -> nn.Module | None:
    if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        return model.module
    # torch.compile's own class is not imported: that would load the compiler.
    inner = model._modules.get("_orig_mod") if type(model).__name__ == "OptimizedModule" else None
    return inner if isinstance(inner, nn.Module) else None
