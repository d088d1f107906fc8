"""Compute what depends on no input once, and write products with computed factors as XNNPACK takes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from edgekit.export.lower.writer import Constants, Writer, aten_of, computed_nodes, dtype_of, shape_of
from runtime.extras import require

_aten = torch.ops.aten
Spread = Callable[[Writer, Node, Sequence[int]], Node]
# Two operands, broadcast against each other.
_BINARY = {
    _aten.add.Tensor, _aten.sub.Tensor, _aten.mul.Tensor, _aten.div.Tensor, _aten.maximum.default,
    _aten.minimum.default,
}  # fmt: skip
# Of matrices.
_TRANSPOSES = {_aten.permute.default, _aten.permute_copy.default, _aten.t.default, _aten.transpose.int}


def fold_constants(program: ExportedProgram) -> ExportedProgram:
    """Return ``program`` with the ops computed that read weights, buffers and numbers only."""
    if not program.graph_signature.user_inputs:
        return program
    fold = require("executorch.exir.passes.constant_prop_pass", extra="executorch").constant_prop_pass
    quantised = require("executorch.exir.operator.util", extra="executorch")._QUANT_PRIMITIVES
    computed = computed_nodes(program)
    for node in program.graph.nodes:
        # ExecuTorch 1.5.1 folds no op that names a layout; a constant is laid out afterwards, below.
        if node.target is _aten.clone.default and node not in computed:
            node.kwargs = {}
    program = fold(program, custom_skip_targets=set(quantised))
    _cut_loose(program)
    return program


def store_conditions(program: ExportedProgram) -> None:
    """Compute, in place, floats made of constant conditions and integers, such as a triangular mask.

    LiteRT's converter computes what else depends on no input, but leaves these to the device.
    """
    computed, constants, chosen = computed_nodes(program), Constants(program), set[Node]()
    for node in list(program.graph.nodes):
        if node.op != "call_function" or node in computed:
            continue
        is_choice = not _is_float(node) or aten_of(node) in ("tril", "triu")
        if is_choice or not chosen.isdisjoint(node.all_input_nodes):
            chosen.add(node)
    for node in chosen:
        read = any(user in computed or user.op == "output" for user in node.users)
        if read and _is_float(node):
            node.replace_all_uses_with(constants.add(constants.value(node).contiguous()))
    program.graph.eliminate_dead_code()
    program.graph_module.recompile()


def _is_float(node: Node) -> bool:
    dtype = dtype_of(node)
    return dtype is not None and dtype.is_floating_point


def _cut_loose(program: ExportedProgram) -> None:
    """Copy, in place, constants that are a part or another layout of a bigger memory.

    ExecuTorch 1.5.1 writes the memory that a delegate's constant lies in, from its first byte: of the second
    half of a weight, as ``nn.MultiheadAttention`` takes for keys, it wrote the first.
    """
    for kept in (program.state_dict, program.constants):
        for name, value in kept.items():
            if isinstance(value, torch.Tensor) and not _is_alone(value):
                copied = value.detach().clone(memory_format=torch.contiguous_format)
                is_weight = isinstance(value, torch.nn.Parameter)
                kept[name] = torch.nn.Parameter(copied, requires_grad=False) if is_weight else copied


def _is_alone(value: torch.Tensor) -> bool:
    return value.is_contiguous() and value.untyped_storage().nbytes() == value.nbytes


def adapt_factors(program: ExportedProgram, *, spread: Spread) -> None:
    """Rewrite, in place, broadcasts and those products whose second factor is computed at run time.

    Args:
        spread: how a broadcast is written that must be one.
    """
    graph, is_computed = program.graph, computed_nodes(program)
    for node in list(graph.nodes):
        if node.target in _RULES:
            _RULES[node.target](Writer(graph, node), is_computed)
        elif node.target in _EXPANDS:
            _expand(Writer(graph, node), spread)
    graph.eliminate_dead_code()
    program.graph_module.recompile()


def _product(writer: Writer, x: Node, weight: Node, bias: Node | None, *, turned: bool) -> None:
    """Write x @ weight + bias on three axes, ``weight`` being (outputs, inputs) where it is ``turned``."""
    rows = shape_of(x)
    if weight.target in _TRANSPOSES:  # before the matrix gets its third axis, not behind a reshape
        weight, turned = weight.args[0], not turned
    factor = writer.view(weight, (1, *shape_of(weight)))
    if turned:
        factor = writer.call(_aten.permute.default, factor, [0, 2, 1])
    made = writer.call(_aten.bmm.default, writer.view(x, (1, math.prod(rows[:-1]), rows[-1])), factor)
    if bias is not None:
        made = writer.call(_aten.add.Tensor, made, bias)
    writer.replace(writer.view(made, shape_of(writer.node)))


def _mm(writer: Writer, is_computed: set[Node]) -> None:
    x, weight = writer.node.args
    if weight in is_computed:
        _product(writer, x, weight, None, turned=False)


def _addmm(writer: Writer, is_computed: set[Node]) -> None:
    bias, x, weight = writer.node.args[:3]
    if not writer.node.kwargs and (weight in is_computed or bias in is_computed):
        _product(writer, x, weight, bias, turned=False)


def _linear(writer: Writer, is_computed: set[Node]) -> None:
    x, weight, bias = (*writer.node.args, None)[:3]
    if len(shape_of(weight)) == 2 and (weight in is_computed or bias in is_computed):
        _product(writer, x, weight, bias, turned=True)


def _expand(writer: Writer, spread: Spread) -> None:
    """Leave a broadcast to the ops that read it; what else reads it gets it spread out."""
    node, source = writer.node, writer.node.args[0]
    shape = shape_of(node)
    given = (1,) * (len(shape) - len(shape_of(source))) + shape_of(source)
    narrow = source if given == shape_of(source) else writer.view(source, given)
    for user in list(node.users):
        if user.target in _BINARY and _broadcast(user, node, given) == shape_of(user):
            user.replace_input_with(node, narrow)
    if not node.users:
        writer.graph.erase_node(node)
    elif given == shape:
        writer.replace(narrow)
    elif node.meta["val"].is_floating_point():
        writer.replace(spread(writer, narrow, shape))


def spread_by_ones(writer: Writer, narrow: Node, shape: Sequence[int]) -> Node:
    """Return ``narrow`` in ``shape``, as a product with ones."""
    sides = [side if side != old else 1 for side, old in zip(shape, shape_of(narrow), strict=True)]
    return writer.call(_aten.mul.Tensor, narrow, writer.call(_aten.full.default, sides, 1.0))


def spread_by_rows(writer: Writer, narrow: Node, shape: Sequence[int]) -> Node:
    """Return ``narrow`` in ``shape``, as products with a row of ones, one for each run of axes.

    Of a plain product with ones LiteRT's converter makes a broadcast, which its delegate leaves.
    """
    made, sides = narrow, list(shape_of(narrow))
    axes = [axis for axis, side in enumerate(sides) if side != shape[axis]]
    while axes:
        first = last = axes.pop()
        while axes and axes[-1] == first - 1:
            first = axes.pop()
        count, before, rest = (
            math.prod(part) for part in (shape[first : last + 1], sides[:first], sides[last + 1 :])
        )
        ones = writer.call(_aten.full.default, [1, count], 1.0)
        made = writer.call(_aten.mm.default, writer.view(made, (before * rest, 1)), ones)
        if rest > 1:
            made = writer.call(_aten.permute.default, writer.view(made, (before, rest, count)), [0, 2, 1])
        sides[first : last + 1] = shape[first : last + 1]
        made = writer.call(_aten.reshape.default, made, list(sides))
    return made


def _broadcast(user: Node, node: Node, given: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape of what ``user`` gives when it reads ``given`` in the place of ``node``."""
    shapes = [given if arg is node else shape_of(arg) for arg in user.args[:2] if isinstance(arg, Node)]
    return tuple(torch.broadcast_shapes(*shapes)) if len(shapes) == 2 else None


_RULES: dict[Any, Callable[[Writer, set[Node]], None]] = {
    _aten.mm.default: _mm,
    _aten.addmm.default: _addmm,
    _aten.linear.default: _linear,
}
_EXPANDS = {_aten.expand.default, _aten.expand_copy.default}
