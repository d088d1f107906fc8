"""Find in a traced program what no file can hold: random numbers, shapes that depend on data."""

from __future__ import annotations

from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from edgekit.export.findings import Finding, at_node

_SYMBOLIC = (torch.SymInt, torch.SymFloat, torch.SymBool)


def check_program(program: ExportedProgram) -> list[Finding]:
    """Return the ops of ``program`` that draw random numbers, or whose result decides over shapes."""
    findings = []
    seen: set[tuple[str, str]] = set()
    for node in program.graph.nodes:
        if node.op != "call_function":
            continue
        kind = kind_of_trouble(node)
        if kind is None:
            continue
        found = at_node(node, f"{_name(node)} {TELL[kind]}")
        if (kind, found.module_path) not in seen:  # what follows from the first one is no news
            seen.add((kind, found.module_path))
            findings.append(found)
    return findings


BRANCHES = "branches on the values of a tensor; use torch.where, or decide before the export"
TELL = {
    "random": "draws random numbers; make it depend on self.training, or take the noise as an input",
    "value": "reads a number out of a tensor, which then steers the rest; compute with tensors instead",
    "shape": "gives a shape that depends on the data; mask values instead of selecting them",
}


def kind_of_trouble(node: Node) -> str | None:
    """Return a key of ``TELL`` for an op that no engine can run as it is, else ``None``."""
    if draws_random(node):
        return "random"
    value = node.meta.get("val")
    values = value if isinstance(value, (tuple, list)) else [value]
    target = node.target
    if isinstance(target, torch._ops.OpOverload):
        if any(isinstance(v, torch.Tensor) and any(map(_is_open, v.shape)) for v in values):
            return "shape"
        if target.overloadpacket.__name__ == "item" and any(isinstance(v, _SYMBOLIC) for v in values):
            return "value"
    return None


def draws_random(node: Node) -> bool:
    """Return whether the op draws random numbers; dropout in evaluation mode does not."""
    target = node.target
    if not isinstance(target, torch._ops.OpOverload):
        return False
    if torch.Tag.nondeterministic_seeded not in target.tags:
        return False
    given: dict[str, Any] = {
        argument.name: argument.default_value
        for argument in target._schema.arguments
        if argument.has_default_value()
    }
    given |= dict(zip((argument.name for argument in target._schema.arguments), node.args, strict=False))
    given |= node.kwargs
    switches = [given[name] for name in ("train", "training") if name in given]
    chances = [given[name] for name in ("dropout_p", "dropout", "p") if name in given]
    return all(switches) and not (chances and not any(chances))


def _is_open(side: int | torch.SymInt) -> bool:
    return isinstance(side, torch.SymInt) and not side.node.is_constant()


def _name(node: Node) -> str:
    return f"aten.{node.target.overloadpacket.__name__}"
