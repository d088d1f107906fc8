"""Copy tensors into a model, or say which names do not fit."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from edgekit.models import Backbone
from edgekit.nn import DynamicConv2d, DynamicReLU
from runtime.errors import CheckpointError

CLASSIFIER = "classifier.linear."
_SHOWN = 3


def load_weights(model: nn.Module, tensors: Mapping[str, torch.Tensor], where: str) -> None:
    """Load ``tensors`` into ``model``; names and shapes must be the same.

    Args:
        where: named in errors.

    Raises:
        CheckpointError: they are not; the message names the first that differ.
    """
    expected = model.state_dict()
    problems = [f"{name} is missing" for name in expected if name not in tensors]
    problems += [f"{name} is not in the model" for name in tensors if name not in expected]
    problems += [
        f"{name} is {tuple(tensors[name].shape)}, the model's is {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in tensors and tensors[name].shape != tensor.shape
    ]
    if problems:
        more = f" and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise CheckpointError(
            f"{where} holds the weights of another model: {'; '.join(problems[:_SHOWN])}{more}; "
            "use the checkpoint that belongs to this model"
        )
    model.load_state_dict(dict(tensors))


def plain_tensors(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return copies on the CPU, as files take them: two names of one tensor get one each."""
    return {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }


def start_from(model: nn.Module, tensors: Mapping[str, torch.Tensor], where: str) -> None:
    """Load ``tensors`` of a network that may have other classes: then the classifier stays as it is.

    Where ``model`` has a dynamic block and that network a static layer, the block starts from it:
    see ``_dynamic_from_static``. Where ``model`` has the network as its backbone, the heads stay as they are.

    Raises:
        CheckpointError: they are of another network.
    """
    tensors = _in_backbone(model, tensors)
    fitting = {**tensors, **_dynamic_from_static(model, tensors)}
    for name, own in model.state_dict().items():
        given = fitting.get(name)
        if name.startswith(CLASSIFIER) and given is not None and given.shape[1:] == own.shape[1:]:
            fitting[name] = given if len(given) == len(own) else own
    load_weights(model, fitting, where)


def _in_backbone(model: nn.Module, tensors: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """Return a plain network's tensors by the names of the backbone in ``model``, with all else of ``model``.

    The tensors as they are where ``model`` has no backbone, or calls its own by the same names.
    """
    own = model.state_dict()
    prefixes = [f"{path}.net." for path, module in model.named_modules() if isinstance(module, Backbone)]
    if len(prefixes) != 1 or any(name in own for name in tensors):
        return tensors
    (prefix,) = prefixes
    below = {prefix + name: tensor for name, tensor in tensors.items() if prefix + name in own}
    return below | {name: tensor for name, tensor in own.items() if not name.startswith(prefix)}


def _dynamic_from_static(model: nn.Module, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return tensors for the dynamic blocks of ``model`` that are static layers in ``tensors``.

    The kernels of a dynamic convolution are the static one, each with its own random difference;
    the differences sum to zero, so while the attention is uniform the block computes what the
    static layer did, and equal kernels would stay equal. A dynamic ReLU starts as ReLU.
    """
    found: dict[str, torch.Tensor] = {}
    for path, block in model.named_modules():
        if not isinstance(block, DynamicConv2d | DynamicReLU):
            continue
        own = {f"{path}.{name}": tensor for name, tensor in block.state_dict().items()}
        if isinstance(block, DynamicReLU):
            if not any(name in tensors for name in own):
                found |= own
            continue
        static = tensors.get(f"{path}.weight")
        if static is not None and static.shape == block.weight.shape[1:]:
            kernels = block.weight.detach()
            found |= own | {f"{path}.weight": static + kernels - kernels.mean(0)}
    return found
