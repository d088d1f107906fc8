"""Which layers lose channels together: torch-pruning's dependency graph, asked by layer names."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass

import torch
import torch_pruning as tp
from torch import nn

from edgekit.models.layers import SqueezeExcite
from edgekit.models.surgery.dynamic_layers import PRUNERS, stand_in
from edgekit.nn import SelectiveKernel
from runtime.errors import PruneError


@dataclass(frozen=True)
class Removal:
    """One layer's part in a removal: ``indices`` of its outputs or of its inputs."""

    layer: str
    is_output: bool
    indices: tuple[int, ...]


@dataclass(frozen=True)
class PrunableConv:
    """A convolution whose output channels may go: its name and how many it has.

    ``partners`` make the same channels: further convolutions whose filter i goes with its filter i.
    """

    name: str
    channels: int
    partners: tuple[str, ...] = ()


class ChannelGraph:
    """Answers what else must go when an output channel of a convolution goes.

    Built on a copy of the model, in which dynamic layers are replaced by plain ones with the same
    channels; the model itself is not touched.

    Args:
        model: any module; only its structure matters.
        example: an input, shape (B, C, H, W).

    Raises:
        PruneError: the network cannot be traced.
    """

    def __init__(self, model: nn.Module, example: torch.Tensor):
        self._shadow = _shadow(model).to(example.device)
        self._names = {module: name for name, module in self._shadow.named_modules()}
        # Tracing follows autograd: frozen parameters or no_grad would hide most of the network.
        self._shadow.requires_grad_(True)
        try:
            with torch.enable_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._graph = tp.DependencyGraph().build_dependency(self._shadow, example, verbose=False)
        except (RuntimeError, AttributeError, IndexError, KeyError) as err:
            raise PruneError(
                f"the network cannot be traced ({err}); check that it runs on this input"
            ) from err

    def removals(self, name: str, indices: tuple[int, ...]) -> list[Removal]:
        """Return every layer's part in removing output channels ``indices`` of convolution ``name``.

        Raises:
            PruneError: no such convolution, no such channel, or a layer would be left without channels.
        """
        layer = dict(self._shadow.named_modules()).get(name)
        if not isinstance(layer, nn.Conv2d) or layer not in self._graph.module2node:
            raise PruneError(
                f"the plan names convolution {name!r}, which this model does not have; use the plan's model"
            )
        if indices and not 0 <= min(indices) <= max(indices) < layer.out_channels:
            raise PruneError(
                f"the plan removes channel {max(indices)} of {name!r}, which has {layer.out_channels}"
            )
        group = self._graph.get_pruning_group(layer, tp.prune_conv_out_channels, list(indices))
        if not self._graph.check_pruning_group(group):
            raise PruneError(
                f"removing {len(indices)} of {layer.out_channels} channels of {name!r} leaves a layer empty"
            )
        return self._named(group)

    def block_internal(self) -> list[PrunableConv]:
        """Return the convolutions whose outputs stay inside one block, in the model's order.

        Such as the expansion of an inverted residual and the first convolution of a basic block.
        Not: channels that a shortcut adds to others, the stem, the last convolution before the
        classifier, and what only computes gates. Of a selective kernel the first branch stands for
        both.
        """
        gates = _gates(self._shadow)
        found = []
        for name, layer in self._shadow.named_modules():
            if not _is_dense_conv(layer) or name in gates or layer not in self._graph.module2node:
                continue
            every = list(range(layer.out_channels))
            group = self._named(self._graph.get_pruning_group(layer, tp.prune_conv_out_channels, every))
            producers = [
                r.layer
                for r in group
                if r.is_output
                and r.layer not in gates
                and _is_dense_conv(self._shadow.get_submodule(r.layer))
            ]
            is_block = self._is_block(_common_parent([r.layer for r in group]))
            if producers in ([name], self._branches_from(name)) and is_block:
                found.append(PrunableConv(name, layer.out_channels, tuple(producers[1:])))
        return found

    def _branches_from(self, name: str) -> list[str]:
        """Return the convolutions of the selective kernel whose first branch is ``name``, if it is one."""
        outer, is_first, inner = name.partition(".branches.0.")
        owner = self._shadow.get_submodule(outer)
        if not is_first or not isinstance(owner, SelectiveKernel):
            return []
        return [f"{outer}.branches.{i}.{inner}" for i in range(len(owner.branches))]

    def _named(self, group) -> list[Removal]:
        return [
            Removal(
                self._names[dep.target.module],
                self._graph.is_out_channel_pruning_fn(dep.handler),
                tuple(indices),
            )
            for dep, indices in group
            if dep.target.module in self._names  # others are bare operations: nothing to remove
        ]

    def _is_block(self, name: str) -> bool:
        # Blocks are modules of their own; what holds blocks is the model or a plain container.
        return name != "" and not isinstance(self._shadow.get_submodule(name), nn.Sequential | nn.ModuleList)


def _shadow(model: nn.Module) -> nn.Module:
    shadow = copy.deepcopy(model)
    ours = [(name, layer) for name, layer in shadow.named_modules() if type(layer) in PRUNERS]
    for name, layer in ours:
        parent, _, own = name.rpartition(".")
        setattr(shadow.get_submodule(parent), own, stand_in(layer, name))
    return shadow


def _is_dense_conv(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d) and layer.groups == 1


def _gates(model: nn.Module) -> set[str]:
    """Return the names of modules that only compute factors of channels."""
    outer = [name for name, module in model.named_modules() if isinstance(module, SqueezeExcite)]
    for name, module in model.named_modules():
        if isinstance(module, SelectiveKernel):
            outer += [f"{name}.squeeze", f"{name}.heads"]
    return {
        f"{name}.{inner}" for name in outer for inner, _ in model.get_submodule(name).named_modules() if inner
    }


def _common_parent(names: list[str]) -> str:
    """Return the dotted name of the deepest module that holds all of ``names``."""
    common = []
    for parts in zip(*(name.split(".")[:-1] for name in names), strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return ".".join(common)
