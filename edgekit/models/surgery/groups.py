"""Which layers lose channels together: torch-pruning's dependency graph, asked by layer names."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch_pruning as tp
from torch import nn

from edgekit.models.layers import SqueezeExcite
from edgekit.models.surgery.dynamic_layers import PRUNERS, stand_in
from edgekit.models.taps import Backbone
from edgekit.nn import SelectiveKernel
from runtime.bundle.decoding import why
from runtime.errors import PruneError


@dataclass(frozen=True)
class Removal:
    """One layer's part in a removal: ``indices`` of its outputs or of its inputs."""

    layer: str
    is_output: bool
    indices: tuple[int, ...]


SCOPES = ("inside", "all")
# What tracing and cutting somebody's network may meet: it is code that nobody here has seen.
TRACE_ERRORS = (
    RuntimeError,
    AttributeError,
    LookupError,
    ValueError,
    TypeError,
    AssertionError,
    ArithmeticError,
)


@dataclass(frozen=True)
class ChannelGroup:
    """Channels that can only go together in all layers that make, carry or read them.

    Attributes:
        name: of the first convolution that makes them; stands for the group in a ``ChannelPlan``.
        channels: how many there are.
        layers: all convolutions that make them: one inside a block, several where outputs are added.
        parts: every layer's part in removing all of them; its indices are in the channels' order.
    """

    name: str
    channels: int
    layers: tuple[str, ...] = ()
    parts: tuple[Removal, ...] = ()


class ChannelGraph:
    """Answers what else must go when an output channel of a convolution goes.

    Built on a copy of the model, in which dynamic layers are replaced by plain ones with the same
    channels; the model itself is not touched.

    Args:
        model: any module; only its structure matters.
        example: an input, shape (B, C, H, W).

    Attributes:
        shadow: that copy.

    Raises:
        PruneError: the network cannot be traced.
    """

    def __init__(self, model: nn.Module, example: torch.Tensor):
        self.shadow = _shadow(model).to(example.device)
        self._example = example
        self._names = {module: name for name, module in self.shadow.named_modules()}
        # Tracing follows autograd: frozen parameters or no_grad would hide most of the network.
        self.shadow.requires_grad_(True)
        try:
            with torch.enable_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._graph = tp.DependencyGraph().build_dependency(self.shadow, example, verbose=False)
        except TRACE_ERRORS as err:
            raise PruneError(
                f"the network cannot be traced ({err}); check that it runs on this input"
            ) from err

    def removals(self, name: str, indices: tuple[int, ...]) -> list[Removal]:
        """Return every layer's part in removing output channels ``indices`` of convolution ``name``.

        Raises:
            PruneError: no such convolution, no such channel, or a layer would be left without channels.
        """
        layer = dict(self.shadow.named_modules()).get(name)
        if not isinstance(layer, nn.Conv2d) or layer not in self._graph.module2node:
            raise PruneError(
                f"the plan names convolution {name!r}, which this model does not have; use the plan's model"
            )
        if indices and not 0 <= min(indices) <= max(indices) < layer.out_channels:
            raise PruneError(
                f"the plan removes channel {max(indices)} of {name!r}, which has {layer.out_channels}"
            )
        group = self._pruning_group(layer, list(indices))
        if not self._graph.check_pruning_group(group):
            raise PruneError(
                f"removing {len(indices)} of {layer.out_channels} channels of {name!r} leaves a layer empty"
            )
        return self._named(group)

    def groups(self, scope: str = "inside") -> list[ChannelGroup]:
        """Return the groups of channels that may go, in the model's order.

        Args:
            scope: ``inside``: what one block keeps to itself, such as the expansion of an inverted residual
                and the first convolution of a basic block. A block is a module of its own below the one
                that holds all convolutions. In a network without blocks, such as a plain sequence, what
                one convolution, or one selective kernel, makes, the first one's apart. ``all``: these and
                the channels that shortcuts add to others, the stem's and the last convolution's. Never
                what only computes gates.

        Raises:
            ValueError: another scope.
        """
        if scope not in SCOPES:
            raise ValueError(f"scope is {scope!r}; allowed: {', '.join(SCOPES)}")
        every = self._all_groups()
        if scope == "all":
            return every
        inside = [group for group in every if self._is_kept_inside(group)]
        own = [group for group in every if len(group.layers) == 1 or self._is_selective(group)]
        return inside or [group for group in own if group is not every[0]]

    def importance(self, name: str, measure: Callable[[object], torch.Tensor | None]) -> torch.Tensor | None:
        """Return torch-pruning's ``measure`` of what convolution ``name`` makes, shape (channels,).

        It looks at ``shadow``; ``None``: there is nothing that it measures.
        """
        layer = self.shadow.get_submodule(name)
        every = list(range(layer.out_channels))
        return measure(self._pruning_group(layer, every))

    def _all_groups(self) -> list[ChannelGroup]:
        makers_of: dict[str, set[str]] = {}  # by the first convolution of each group
        taken: set[str] = set()
        for name, layer in self.shadow.named_modules():
            if name not in taken and _is_dense_conv(layer) and layer in self._graph.module2node:
                makers_of[name] = {p.layer for p in self._parts(name) if p.is_output and self._makes(p.layer)}
                taken |= makers_of[name]
        gates = _gates(self.shadow) | self._gates_by_size(makers_of)
        in_order = [
            tuple(n for n in self._names.values() if n in makers - gates) for makers in makers_of.values()
        ]
        return [self._group(makers) for makers in in_order if makers]

    def _group(self, makers: tuple[str, ...]) -> ChannelGroup:
        channels = self.shadow.get_submodule(makers[0]).out_channels
        return ChannelGroup(makers[0], channels, makers, tuple(self._parts(makers[0])))

    def _parts(self, name: str) -> list[Removal]:
        """Return every layer's part in removing all that convolution ``name`` makes."""
        layer = self.shadow.get_submodule(name)
        every = list(range(layer.out_channels))
        return self._named(self._pruning_group(layer, every))

    def _pruning_group(self, layer: nn.Module, indices: list[int]) -> tp.Group:
        """Return what torch-pruning says must go with output channels ``indices`` of ``layer``."""
        try:
            return self._graph.get_pruning_group(layer, tp.prune_conv_out_channels, indices)
        except TRACE_ERRORS as err:
            raise PruneError(
                f"what hangs on the channels of {self._names[layer]!r} cannot be followed ({why(err)}); "
                "a network whose layers reshape channels cannot be pruned"
            ) from err

    def _gates_by_size(self, makers_of: Mapping[str, set[str]]) -> set[str]:
        """Return convolutions that only compute factors of channels, whatever module they are in.

        A gate makes one number per channel where others of its group make maps; so does what only
        gates read.
        """
        sizes = self._output_sizes()
        gates: set[str] = set()
        for makers in makers_of.values():
            most = max(sizes.get(name, 0) for name in makers)
            gates |= {name for name in makers if sizes.get(name) == 1 < most}
        for name, makers in makers_of.items():
            readers = {part.layer for part in self._parts(name) if not part.is_output}
            if readers and readers <= gates:
                gates |= makers
        return gates

    def _output_sizes(self) -> dict[str, int]:
        """Return how many positions the maps have that each convolution makes."""
        sizes: dict[str, int] = {}
        handles = [
            layer.register_forward_hook(
                lambda _, __, y, name=name: sizes.update({name: y.shape[-2] * y.shape[-1]})
            )
            for name, layer in self.shadow.named_modules()
            if isinstance(layer, nn.Conv2d)
        ]
        try:
            with torch.no_grad():
                self.shadow(self._example)
        finally:
            for handle in handles:
                handle.remove()
        return sizes

    def _is_kept_inside(self, group: ChannelGroup) -> bool:
        """Whether one block makes, carries and reads all of ``group``."""
        is_read = any(not part.is_output for part in group.parts)  # else these are the outputs
        parent = _common_parent([part.layer for part in group.parts])
        network = self._network_of(parent)
        above = network.count(".") + 1 if network else 0
        path = parent.split(".")
        holders = [".".join(path[:end]) for end in range(above + 1, len(path) + 1)]
        return is_read and any(self._is_block(name) for name in holders)

    def _network_of(self, path: str) -> str:
        """Return what holds all blocks about ``path``: of a backbone under a head its own blocks."""
        convs = [name for name, layer in self.shadow.named_modules() if isinstance(layer, nn.Conv2d)]
        for name, layer in self.shadow.named_modules():
            if isinstance(layer, Backbone) and f"{path}.".startswith(f"{name}." if name else ""):
                convs = [conv for conv in convs if conv.startswith(f"{name}." if name else "")]
        return _common_parent(convs)

    def _is_selective(self, group: ChannelGroup) -> bool:
        """Whether the branches of one selective kernel make the group, and nothing else."""
        owners = {name.partition(".branches.")[0] for name in group.layers}
        return len(owners) == 1 and isinstance(self.shadow.get_submodule(owners.pop()), SelectiveKernel)

    def _makes(self, name: str) -> bool:
        return _is_dense_conv(self.shadow.get_submodule(name))

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
        return name != "" and not isinstance(self.shadow.get_submodule(name), nn.Sequential | nn.ModuleList)


def _shadow(model: nn.Module) -> nn.Module:
    shadow = copy.deepcopy(model)
    ours = [(name, layer) for name, layer in shadow.named_modules() if type(layer) in PRUNERS]
    for name, layer in ours:
        parent, _, own = name.rpartition(".")
        setattr(shadow.get_submodule(parent), own, stand_in(layer))
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
