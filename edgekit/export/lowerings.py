"""Find ops that an exporter cannot lower, from the traced program, before the exporter runs.

Ops that an engine does not lower by themselves are put, one of each, into a small program that is
taken apart as the exporter would take the whole: a fraction of a second, where a conversion takes many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram
from torch.fx import Node
from torch.utils._pytree import tree_leaves, tree_map_only

from edgekit.export._quiet import exporting
from edgekit.export.findings import Finding, at_node
from edgekit.export.litert import add_litert_rules
from edgekit.export.lower.ops import executorch_rules, whole_ops
from edgekit.export.traced import kind_of_trouble
from edgekit.export.workload import module_path_of
from runtime.extras import require

Op = torch._ops.OpOverload
# Checks on shapes and types, and copies, which exporters drop.
_DROPPED = {"_assert_scalar", "_assert_tensor_metadata", "copy_", "lift_fresh_copy"}
# litert-torch lowers these to STABLEHLO_SORT, for which LiteRT 2.3.0 has no kernel.
_SORTS = {"sort", "topk"}


@dataclass(frozen=True)
class Lowerings:
    """What an exporter can do with ATen ops: those it lowers, and how it takes others apart."""

    lowers: Callable[[Op], bool]
    decompositions: dict[Op, Callable[..., Any]]


def unlowered_ops(program: ExportedProgram, engine: str) -> list[Finding]:
    """Return the ops of ``program`` for which ``engine`` has no lowering, the first node of each.

    An engine whose exporter is not known here has no findings.
    """
    find = _KNOWN.get(engine)
    if find is None:
        return []
    with exporting():
        known = find()
        nodes: dict[Op, Node] = {}
        for node in program.graph.nodes:
            if isinstance(node.target, Op) and not _is_fine(node.target, known) and not kind_of_trouble(node):
                nodes.setdefault(node.target, node)
        missing = _take_apart(list(nodes.values()), known) if nodes else {}
    findings = []
    for node, part in missing.items():
        inside = "" if part == str(node.target) else f", a part of {node.target}"
        findings.append(
            at_node(node, f"{engine} has no lowering for {part}{inside}; write it with other ops")
        )
    return findings


class _One(nn.Module):
    """The op of one node, its tensors as inputs."""

    def __init__(self, node: Node):
        super().__init__()
        self.target, self.tensors = node.target, []
        self.arguments = tree_map_only(Node, self._take, (node.args, node.kwargs))

    def forward(self, *tensors: torch.Tensor) -> Any:
        args, kwargs = tree_map_only(_Slot, lambda slot: tensors[slot.index], self.arguments)
        # A copy, because an input must not be changed in place.
        return self.target(*tree_map_only(torch.Tensor, torch.clone, args), **kwargs)

    def _take(self, source: Node) -> _Slot:
        value = source.meta["val"]
        self.tensors.append(torch.zeros(value.shape, dtype=value.dtype))
        return _Slot(len(self.tensors) - 1)


class _All(nn.Module):
    def __init__(self, ones: list[_One]):
        super().__init__()
        self.ones = nn.ModuleList(ones)

    def forward(self, *tensors: torch.Tensor) -> list[torch.Tensor]:
        given = iter(tensors)
        results = [one(*(next(given) for _ in one.tensors)) for one in self.ones]
        return [leaf for leaf in tree_leaves(results) if isinstance(leaf, torch.Tensor)]


@dataclass(frozen=True)
class _Slot:
    """Place of a tensor among an op's arguments."""

    index: int


def _take_apart(nodes: list[Node], known: Lowerings) -> dict[Node, str]:
    """Return, for each node that cannot be lowered, the part of it that cannot."""
    try:
        ones = [_One(node) for node in nodes]
        example = tuple(tensor for one in ones for tensor in one.tensors)
        parts = torch.export.export(_All(ones), example).run_decompositions(known.decompositions)
    except (RuntimeError, TypeError, ValueError, AssertionError, LookupError, AttributeError):
        # One of them cannot stand alone: the exporter will try, and tell.
        return {}
    missing: dict[Node, str] = {}
    for part in parts.graph.nodes:
        if part.op == "call_function" and isinstance(part.target, Op) and not _is_fine(part.target, known):
            path = module_path_of(part)  # ones.3
            if path.startswith("ones."):
                missing.setdefault(nodes[int(path.split(".")[1])], str(part.target))
    return missing


def _is_fine(op: Op, known: Lowerings) -> bool:
    return op.namespace not in ("aten", "prims") or op.overloadpacket.__name__ in _DROPPED or known.lowers(op)


def _litert() -> Lowerings:
    registry = require("litert_torch.backend.lowerings.registry", extra="litert-export")
    decomp = require("litert_torch.fx_infra.decomp", extra="litert-export")

    def lowers(op: Op) -> bool:
        return op.overloadpacket.__name__ not in _SORTS and registry.lookup(op) is not None

    add_litert_rules()
    return Lowerings(lowers, decomp.pre_lower_decomp())


def _executorch() -> Lowerings:
    binding = require("executorch.extension.pybindings._C", extra="executorch")
    whole = whole_ops()
    kernels = {name.partition(".")[0] for name in binding._get_operator_names()}

    def lowers(op: Op) -> bool:
        name = op._schema.name  # views become copies
        return op in whole or torch.Tag.core in op.tags or name in kernels or f"{name}_copy" in kernels

    return Lowerings(lowers, executorch_rules())


_KNOWN: dict[str, Callable[[], Lowerings]] = {"litert": _litert, "executorch": _executorch}
