"""Where numbers stop being numbers, and what is said of it: a training that goes on would only lose time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from edgekit.tasks import total
from edgekit.training.hooks import Training
from runtime.errors import TrainingError


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
        # Without gradients, which DDP would wait for; a penalty of gradients fails, but behind the layers.
        with torch.no_grad(), contextlib.suppress(RuntimeError):
            run()
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else None


def spoiled_loss(
    run: Training,
    losses: Mapping[str, torch.Tensor],
    everywhere: Mapping[str, torch.Tensor],
    again: Callable[[], object],
) -> TrainingError:
    """Return the error for losses that are not finite.

    Args:
        losses: of this process.
        everywhere: each loss, summed over all processes.
        again: finds them once more; shows which layer is the first.
    """
    layer = first_not_finite(run.model, again)
    bad = {name: loss.item() for name, loss in everywhere.items() if not torch.isfinite(loss)}
    name, value = next(iter(bad.items()), ("", total(everywhere).item()))
    which = f"the loss {name!r}" if name and len(losses) > 1 else "the loss"
    cause = f"the output of layer {layer!r} is not finite" if layer else "the network's outputs are finite"
    if everywhere is not losses and torch.isfinite(total(losses)):
        cause = "in another process"
    return TrainingError(
        f"{which} is {value} in epoch {run.epoch}, step {run.step % run.steps_per_epoch} ({cause}); "
        f"it must stay finite{_advice(run)}"
    )


def refuse_spoiled_weights(run: Training) -> None:
    """Stop before weights that the epoch's last step spoiled take the place of good ones.

    Raises:
        TrainingError: a parameter, or a statistic of batch norm, is not finite.
    """
    tensors = dict(run.model.named_parameters())
    for path, module in run.model.named_modules():
        if isinstance(module, _BatchNorm):
            tensors |= {f"{path}.{name}": buffer for name, buffer in module.named_buffers()}
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise TrainingError(
                f"{name} is not finite after epoch {run.epoch}, whose losses were; it must stay finite"
                f"{_advice(run)}"
            )


def _advice(run: Training) -> str:
    if not run.epoch:
        return ": lower --lr"
    kept = f"; the state of epoch {run.epoch - 1} is kept in {run.folder}"
    return f"{kept}: lower --lr, from there with --init {run.folder} --out ANOTHER"
