"""Checks before an export, so that what cannot work fails at once and in our words."""

from __future__ import annotations

import torch
from torch import nn

from runtime.errors import ExportError


def check_model(model: nn.Module, example: torch.Tensor) -> torch.Tensor:
    """Return the model's output for ``example``, after checking that the model can be exported.

    Args:
        model: in evaluation mode.
        example: one real input, float32, shape (1, C, H, W).

    Raises:
        ExportError: a weight is not finite or not float32; the model does not take the input,
            returns anything but one tensor, gives nan, or other numbers when asked again.
    """
    _check_weights(model)
    output = _run(model, example)
    if not torch.isfinite(output).all():
        raise ExportError("the model gives nan or inf on a real input; export an earlier checkpoint")
    if not torch.equal(output, _run(model, example)):
        raise ExportError(
            "the model gives other outputs for the same input: an op draws random numbers; "
            "make dropout and noise depend on self.training"
        )
    return output


def _check_weights(model: nn.Module) -> None:
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if not tensor.is_floating_point():
            continue
        if tensor.dtype != torch.float32:
            raise ExportError(f"{name} is {tensor.dtype}; only float32 is exported: call model.float() first")
        wrong = int((~torch.isfinite(tensor)).sum())
        if wrong:
            raise ExportError(
                f"{name} has {wrong} of {tensor.numel()} values that are not finite (nan or inf); "
                "the training went wrong: export an earlier checkpoint"
            )


def _run(model: nn.Module, example: torch.Tensor) -> torch.Tensor:
    shape = tuple(example.shape)
    try:
        with torch.no_grad():
            result = model(example)
    except (RuntimeError, ValueError, TypeError, IndexError) as err:
        first = next(iter(str(err).splitlines()), type(err).__name__)
        raise ExportError(f"the model does not take an input of shape {shape}: {first}") from err
    if isinstance(result, torch.Tensor):
        return result
    got = f"a dict with {', '.join(map(str, result))}" if isinstance(result, dict) else type(result).__name__
    raise ExportError(f"the model returns {got}; one tensor is exported: wrap it in a module that picks it")
