"""Compute what depends on no input once, and write products with computed factors as XNNPACK takes them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import Graph, Node

from runtime.extras import require

_aten = torch.ops.aten
# Two operands, broadcast against each other.
_BINARY = {
    _aten.add.Tensor, _aten.sub.Tensor, _aten.mul.Tensor, _aten.div.Tensor, _aten.maximum.default,
    _aten.minimum.default,
}  # fmt: skip


def fold_constants(program: ExportedProgram) -> ExportedProgram:
    """Return ``program`` with the ops computed that read weights, buffers and numbers only."""
    if not program.graph_signature.user_inputs:
        return program
    fold = require("executorch.exir.passes.constant_prop_pass", extra="executorch").constant_prop_pass
    quantised = require("executorch.exir.operator.util", extra="executorch")._QUANT_PRIMITIVES
    return fold(program, custom_skip_targets=set(quantised))


def adapt_factors(program: ExportedProgram) -> None:
    """Rewrite, in place, broadcasts and those products whose second factor is computed at run time."""
    graph, inputs = program.graph, set(program.graph_signature.user_inputs)
    is_computed: set[Node] = set()  # from an input; a quantised weight, say, is computed of constants
    for node in graph.nodes:
        if node.name in inputs or not is_computed.isdisjoint(node.all_input_nodes):
            is_computed.add(node)
    for node in list(graph.nodes):
        rule = _RULES.get(node.target)
        if rule is not None:
            rule(_Writer(graph, node), is_computed)
    graph.eliminate_dead_code()
    program.graph_module.recompile()


class _Writer:
    """Writes ops in the place of ``node``."""

    def __init__(self, graph: Graph, node: Node):
        self.graph, self.node = graph, node

    def call(self, op: Any, *args: Any) -> Node:
        """Return a new node, which takes over whence it comes."""
        with self.graph.inserting_before(self.node):
            made = self.graph.call_function(op, args)
        made.meta.update({key: value for key, value in self.node.meta.items() if key != "val"})
        values = [arg.meta["val"] if isinstance(arg, Node) else arg for arg in args]
        made.meta["val"] = op(*values)
        return made

    def view(self, x: Node, shape: Any) -> Node:
        return self.call(_aten.view_copy.default, x, [int(side) for side in shape])

    def replace(self, made: Node) -> None:
        self.node.replace_all_uses_with(made)
        self.graph.erase_node(self.node)


def _shape(node: Node) -> tuple[int, ...]:
    return tuple(node.meta["val"].shape)


def _product(writer: _Writer, x: Node, weight: Node, bias: Node | None, *, turned: bool) -> None:
    """Write x @ weight + bias on three axes, ``weight`` being (outputs, inputs) where it is ``turned``."""
    rows, sides = _shape(x), _shape(weight)
    factor = writer.view(weight, (1, *sides))
    if turned:
        factor = writer.call(_aten.permute_copy.default, factor, [0, 2, 1])
    made = writer.call(_aten.bmm.default, writer.view(x, (1, math.prod(rows[:-1]), rows[-1])), factor)
    if bias is not None:
        made = writer.call(_aten.add.Tensor, made, bias)
    writer.replace(writer.view(made, _shape(writer.node)))


def _mm(writer: _Writer, is_computed: set[Node]) -> None:
    x, weight = writer.node.args
    if weight in is_computed:
        _product(writer, x, weight, None, turned=False)


def _addmm(writer: _Writer, is_computed: set[Node]) -> None:
    bias, x, weight = writer.node.args[:3]
    if not writer.node.kwargs and (weight in is_computed or bias in is_computed):
        _product(writer, x, weight, bias, turned=False)


def _linear(writer: _Writer, is_computed: set[Node]) -> None:
    x, weight, bias = (*writer.node.args, None)[:3]
    if len(_shape(weight)) == 2 and (weight in is_computed or bias in is_computed):
        _product(writer, x, weight, bias, turned=True)


def _expand(writer: _Writer, is_computed: set[Node]) -> None:
    """Leave a broadcast to the ops that read it; what else reads it gets a product with ones."""
    node, source = writer.node, writer.node.args[0]
    shape = _shape(node)
    given = (1,) * (len(shape) - len(_shape(source))) + _shape(source)
    narrow = source if given == _shape(source) else writer.view(source, given)
    for user in list(node.users):
        if user.target in _BINARY and _broadcast(user, node, given) == _shape(user):
            user.replace_input_with(node, narrow)
    if not node.users:
        writer.graph.erase_node(node)
    elif given == shape:
        writer.replace(narrow)
    elif node.meta["val"].is_floating_point():
        sides = [side if side != old else 1 for side, old in zip(shape, given, strict=True)]
        ones = writer.call(_aten.full.default, sides, 1.0)
        writer.replace(writer.call(_aten.mul.Tensor, narrow, ones))


def _broadcast(user: Node, node: Node, given: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape of what ``user`` gives when it reads ``given`` in the place of ``node``."""
    shapes = [given if arg is node else _shape(arg) for arg in user.args[:2] if isinstance(arg, Node)]
    return tuple(torch.broadcast_shapes(*shapes)) if len(shapes) == 2 else None


_RULES: dict[Any, Callable[[_Writer, set[Node]], None]] = {
    _aten.mm.default: _mm,
    _aten.addmm.default: _addmm,
    _aten.linear.default: _linear,
    _aten.expand.default: _expand,
    _aten.expand_copy.default: _expand,
}
