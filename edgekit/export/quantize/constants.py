"""The constants of a program before and after torchao's conversion: weights are rounded, all else is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch.fx import GraphModule, Node

from edgekit.export.workload import aten_name
from runtime.errors import ParityError

_BACK = ("dequantize_per_channel", "dequantize_per_tensor")
_STEPS = 0.51  # half a step is rounding


class Constant(NamedTuple):
    """What an op reads: float values, and the step of the grid that they are on, 0 for none."""

    values: torch.Tensor
    step: torch.Tensor


Constants = Mapping[tuple[str, int], Constant]  # by the op's name and the place among its arguments


def read_constants(graph: GraphModule) -> Constants:
    """Return what the ops of ``graph`` read as constants."""
    found = {}
    for node in graph.graph.nodes:
        for place, source in enumerate(node.args if node.op == "call_function" else ()):
            constant = _constant(graph, source) if isinstance(source, Node) else None
            if constant is not None and constant.values.is_floating_point():
                found[node.name, place] = constant
    return found


def check_constants(before: Constants, after: Constants) -> None:
    """Check that each constant is the same or on the nearest step.

    Raises:
        ParityError: one is not.
    """
    for key, exact in before.items():
        found = after.get(key, exact)
        allowed = _STEPS * found.step + 1e-6 * exact.values.abs()
        if not bool(((found.values - exact.values).abs() <= allowed).all()):
            raise ParityError(
                f"torchao wrote other constants than the rounded ones into {key[0]}; keep the module of that "
                "op float with --keep-float"
            )


def _constant(graph: GraphModule, source: Node) -> Constant | None:
    if source.op == "get_attr":
        return Constant(_attribute(graph, source), torch.zeros(()))
    if source.op != "call_function" or aten_name(source) not in _BACK:
        return None
    stored, given = source.args[:2]
    if not isinstance(stored, Node) or stored.op != "get_attr":
        return None
    values = _attribute(graph, stored).float()
    if not isinstance(given, Node):
        step = torch.tensor(given)
        return Constant((values - source.args[2]) * step, step)
    # Of each channel, of which there may be one; their zero is 0.
    sides = [-1 if axis == source.args[3] else 1 for axis in range(values.dim())]
    step = _attribute(graph, given).reshape(sides)
    return Constant(values * step, step)


def _attribute(graph: GraphModule, node: Node) -> torch.Tensor:
    value: Any = graph
    for name in str(node.target).split("."):
        value = getattr(value, name)
    return value.detach()
