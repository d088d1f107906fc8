"""Write what takes entries of an axis in an order that is known beforehand as slices, joined in that order.

``x[:, [2, 1, 0]]`` and ``x.flip(-1)`` turn a camera's BGR into RGB, as bytes or as floats.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from edgekit.export.lower.writer import Constants, Writer, computed_nodes, dtype_of, shape_of

_aten = torch.ops.aten
_MOST_PARTS = 5  # that LiteRT's delegate joins


def join_reordered(program: ExportedProgram) -> None:
    """Rewrite, in place, indexing by a constant row of numbers, and ``flip``, of a few runs of entries."""
    computed, constants = computed_nodes(program), Constants(program)
    for node in list(program.graph.nodes):
        if node not in computed or (found := _order(node, computed, constants)) is None:
            continue
        axis, order = found
        runs = _runs(order)
        if not 0 < len(runs) <= _MOST_PARTS:
            continue
        writer, source = Writer(program.graph, node), node.args[0]
        parts = [writer.call(_aten.slice.Tensor, source, axis, start, end) for start, end in runs]
        writer.replace(parts[0] if len(parts) == 1 else writer.call(_aten.cat.default, parts, axis))
    program.graph.eliminate_dead_code()
    program.graph_module.recompile()


def _order(node: Node, computed: set[Node], constants: Constants) -> tuple[int, Sequence[int]] | None:
    """Return the axis along which ``node`` takes entries, and which; ``None`` where it does not."""
    if node.target is _aten.flip.default and len(node.args[1]) == 1:
        axis = node.args[1][0] % len(shape_of(node))
        return axis, range(shape_of(node)[axis] - 1, -1, -1)
    if node.target is _aten.index_select.default:
        axis, index = node.args[1] % len(shape_of(node)), node.args[2]
    elif node.target is _aten.index.Tensor and sum(one is not None for one in node.args[1]) == 1:
        axis, index = next((axis, one) for axis, one in enumerate(node.args[1]) if one is not None)
    else:
        return None
    if index in computed or dtype_of(index) == torch.bool or len(shape_of(index)) != 1:
        return None
    side = shape_of(node.args[0])[axis]
    return axis, [int(place) % side for place in constants.value(index)]


def _runs(order: Sequence[int]) -> list[tuple[int, int]]:
    """Return begin and end of each run of numbers that follow each other."""
    runs = []
    for _, group in itertools.groupby(enumerate(order), key=lambda pair: pair[1] - pair[0]):
        places = [place for _, place in group]
        runs.append((places[0], places[-1] + 1))
    return runs
