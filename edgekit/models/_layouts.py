"""Names of the same layers in the weight files of other projects."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from runtime.errors import CheckpointError

_V2_ENDS = {
    "stem.conv": "features.0.0",
    "stem.bn": "features.0.1",
    "head.conv": "features.18.0",
    "head.bn": "features.18.1",
    "classifier.linear": "classifier.1",
}
_V2_BLOCK = {
    "expand.conv": "0.0",
    "expand.bn": "0.1",
    "depthwise.conv": "1.0",
    "depthwise.bn": "1.1",
    "project.conv": "2",
    "project.bn": "3",
}
# The first block does not widen, so its parts are numbered from the depthwise convolution.
_V2_FIRST = {"depthwise.conv": "0.0", "depthwise.bn": "0.1", "project.conv": "1", "project.bn": "2"}

_LITE_ENDS = {
    "stem.conv": "_conv_stem",
    "stem.bn": "_bn0",
    "head.conv": "_conv_head",
    "head.bn": "_bn1",
    "classifier.linear": "_fc",
}
_LITE_BLOCK = {
    "expand.conv": "_expand_conv",
    "expand.bn": "_bn0",
    "depthwise.conv": "_depthwise_conv",
    "depthwise.bn": "_bn1",
    "project.conv": "_project_conv",
    "project.bn": "_bn2",
}


def torchvision_mobilenet_v2(module: str) -> str:
    """Return torchvision's name of our ``module``: ``blocks.1.project.bn`` is ``features.2.conv.3``."""
    if module in _V2_ENDS:
        return _V2_ENDS[module]
    _, index, part = module.split(".", 2)
    names = _V2_FIRST if index == "0" else _V2_BLOCK
    return f"features.{int(index) + 1}.conv.{names[part]}"


def lukemelas_efficientnet(module: str) -> str:
    """Return the name of our ``module`` in efficientnet_pytorch: ``stem.bn`` is ``_bn0``."""
    if module in _LITE_ENDS:
        return _LITE_ENDS[module]
    _, index, part = module.split(".", 2)
    return f"_blocks.{index}.{_LITE_BLOCK[part]}"


def load_foreign(
    model: nn.Module, theirs: Mapping[str, torch.Tensor], name_of: Callable[[str], str], where: str
) -> None:
    """Fill ``model`` from ``theirs``; every key on either side must find its partner.

    Args:
        name_of: turns a module name of ours into theirs.
        where: names the file in messages.

    Raises:
        CheckpointError: a key is missing or left over, or a shape differs.
    """
    ours = model.state_dict()
    partner = {}
    for key in ours:
        module, _, leaf = key.rpartition(".")
        partner[key] = f"{name_of(module)}.{leaf}"
    missing = sorted(set(partner.values()) - set(theirs))
    surplus = sorted(set(theirs) - set(partner.values()))
    if missing or surplus:
        raise CheckpointError(
            f"{where} does not fit the model: lacks {len(missing)} of its keys ({_few(missing)}), "
            f"has {len(surplus)} others ({_few(surplus)}); give the weights of this very model"
        )
    for key, tensor in ours.items():
        shape = theirs[partner[key]].shape
        if shape != tensor.shape:
            raise CheckpointError(
                f"{where} does not fit the model: {partner[key]} has shape {tuple(shape)}, "
                f"the model needs {tuple(tensor.shape)}; give the weights of this very model"
            )
    model.load_state_dict({key: theirs[name] for key, name in partner.items()})


def _few(keys: list[str]) -> str:
    return ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "") if keys else "none"
