"""Which layers of a network are dynamic: its sites, and patterns that choose among them.

A site is a layer that may be dynamic: a 1x1 convolution or an activation that the model files ask
of ``Layers``. Stem convolution, depthwise convolutions, squeeze-and-excitation and classifier are none.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from edgekit.models.spec import MODELS, ModelSpec
from edgekit.nn import DynamicConv2d, DynamicReLU

EVERYWHERE = "everywhere"
LAST = "last:"


@dataclass(frozen=True)
class Site:
    """A layer that may be dynamic, and the shape it works on.

    Attributes:
        path: of the module in the network.
        kind: ``conv`` (a 1x1 convolution) or ``act`` (an activation).
        in_channels, out_channels: C and N; equal for an activation.
        height, width: of the input map.
        added_params: parameters that a dynamic block has more than the static layer.
        stride: of the convolution; 1 for an activation.
        act_follows: an activation stands behind the convolution: static ones run it for free.
    """

    path: str
    kind: str
    in_channels: int
    out_channels: int
    height: int
    width: int
    added_params: int
    stride: int = 1
    act_follows: bool = False


def find_sites(spec: ModelSpec) -> tuple[Site, ...]:
    """Return the layers of ``spec`` that its ``act`` and ``dynamic_conv`` make dynamic, front to back.

    ``dynamic_at`` is left out of account: these are the layers it chooses from.

    Example:
        >>> find_sites(ModelSpec("mobilenet_v2", dynamic_conv="pointwise"))[0].path
        'blocks.0.project.conv'
    """
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay as they were
        network = MODELS.get(spec.name).build(replace(spec, dynamic_at=None)).eval()
    found: dict[nn.Module, Site] = {}
    paths = {module: path for path, module in network.named_modules()}

    def note(layer: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        _, channels, height, width = inputs[0].shape
        added = sum(parameter.numel() for parameter in layer.parameters())
        if isinstance(layer, DynamicConv2d):
            added -= layer.weight[0].numel()
            conv_bn = network.get_submodule(paths[layer].rpartition(".")[0])
            more = {"stride": layer.stride[0], "act_follows": hasattr(conv_bn, "act")}
            site = Site(paths[layer], "conv", channels, output.shape[1], height, width, added, **more)
        else:
            site = Site(paths[layer], "act", channels, channels, height, width, added)
        found[layer] = site

    for layer in network.modules():
        if isinstance(layer, DynamicConv2d | DynamicReLU):
            layer.register_forward_hook(note)
    with torch.inference_mode():
        network(torch.zeros(1, spec.in_channels, spec.image_size, spec.image_size))
    return tuple(found.values())


def static_of(spec: ModelSpec) -> ModelSpec:
    """Return ``spec`` without its dynamic blocks."""
    act = "default" if spec.act.startswith("dyrelu") else spec.act
    return replace(spec, act=act, dynamic_conv="none", dynamic_at=None)


def resolve(patterns: Sequence[str], paths: Sequence[str]) -> tuple[str, ...]:
    """Return those of ``paths`` that ``patterns`` name, in the order of ``paths``.

    Args:
        patterns: each is a path, the path of a module that holds sites, a shell pattern of either,
            ``last:N`` or ``everywhere``.
        paths: of all sites, front to back.

    Raises:
        ValueError: a pattern names no site; near matches are listed.

    Example:
        >>> resolve(["last:1", "blocks.0"], ["stem.act", "blocks.0.project.conv", "head.conv", "head.act"])
        ('blocks.0.project.conv', 'head.act')
    """
    chosen: set[str] = set()
    for pattern in patterns:
        named = _named(pattern, paths)
        if not named:
            near = difflib.get_close_matches(pattern, paths, n=3, cutoff=0.4)
            hint = f"did you mean {', '.join(near)}?" if near else f"the sites are {', '.join(paths)}"
            raise ValueError(f"dynamic_at names {pattern!r}, where no layer can be dynamic; {hint}")
        chosen.update(named)
    return tuple(path for path in paths if path in chosen)


def _named(pattern: str, paths: Sequence[str]) -> list[str]:
    if pattern == EVERYWHERE:
        return list(paths)
    if pattern.startswith(LAST):
        count = pattern.removeprefix(LAST)
        if not count.isdecimal() or not 1 <= int(count) <= len(paths):
            raise ValueError(
                f"dynamic_at has {pattern!r}; give last:N with N from 1 to {len(paths)}, the sites there are"
            )
        return list(paths[-int(count) :])
    return [path for path in paths if any(fnmatch.fnmatchcase(path, p) for p in (pattern, f"{pattern}.*"))]
