"""Write comparisons of floats, and choices by them, as arithmetic: no delegate computes with booleans.

A condition becomes its share: 1.0 where it holds and 0.0 elsewhere. A choice becomes the sum of both sides,
each times its share, which is exact as long as both are finite; an infinite number is the logarithm of 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from edgekit.export.lower.writer import MOVES, Constants, Writer, aten_of, computed_nodes, dtype_of, shape_of

_aten = torch.ops.aten
# Times this every difference is above 1, but for those below 1e-38, which may be flushed to 0 anyway.
_LARGE = 1e38
_COMPARED = {
    getattr(getattr(_aten, name), overload): name
    for name in ("gt", "ge", "lt", "le", "eq", "ne")
    for overload in ("Scalar", "Tensor")
}
_COPY = _aten._to_copy.default
_NOT = {_aten.logical_not.default, _aten.bitwise_not.default}
_JOINED: dict[Any, Any] = {
    _aten.logical_and.default: _aten.mul.Tensor,
    _aten.bitwise_and.Tensor: _aten.mul.Tensor,
    _aten.mul.Tensor: _aten.mul.Tensor,
    _aten.logical_or.default: _aten.maximum.default,
    _aten.bitwise_or.Tensor: _aten.maximum.default,
}
_ARITHMETIC = {_aten.add.Tensor, _aten.sub.Tensor, _aten.mul.Tensor, _aten.div.Tensor}
# Condition, what is taken where it holds, what elsewhere: as places among the arguments.
_CHOICES = {
    _aten.where.self: (0, 1, 2),
    _aten.where.ScalarSelf: (0, 1, 2),
    _aten.where.ScalarOther: (0, 1, 2),
    _aten.where.Scalar: (0, 1, 2),
    _aten.masked_fill.Scalar: (1, 2, 0),
    _aten.masked_fill.Tensor: (1, 2, 0),
}


def write_conditions(program: ExportedProgram) -> None:
    """Rewrite, in place, what is compared and chosen among floats that are computed at run time."""
    graph, is_computed = program.graph, computed_nodes(program)
    shares, constants = dict[Node, Node](), Constants(program)
    for node in list(graph.nodes):
        if node.op == "call_function" and node in is_computed:
            _Conditions(Writer(graph, node), is_computed, shares, constants).rewrite()
    graph.eliminate_dead_code()
    program.graph_module.recompile()


def makes_condition(node: Node) -> bool:
    """Return whether ``node`` makes booleans of numbers, in a way that is rewritten where they are floats."""
    return dtype_of(node) == torch.bool and (node.target in _COMPARED or node.target is _COPY)


def passes_condition_on(node: Node) -> bool:
    """Return whether ``node`` moves, joins or turns over booleans."""
    is_known = node.target in _NOT or node.target in _JOINED or aten_of(node) in MOVES
    return dtype_of(node) == torch.bool and is_known


def reads_condition(node: Node) -> bool:
    """Return whether ``node`` makes floats of booleans or chooses floats by them."""
    return _is_float(node) and (node.target in _CHOICES or node.target in _ARITHMETIC or node.target is _COPY)


class _Conditions:
    """What one node compares, joins or chooses; ``shares`` holds those of the conditions before it."""

    def __init__(
        self, writer: Writer, is_computed: set[Node], shares: dict[Node, Node], constants: Constants
    ):
        self.writer, self.node = writer, writer.node
        self.is_computed, self.shares, self.constants = is_computed, shares, constants

    def rewrite(self) -> None:
        node, target = self.node, self.node.target
        if target in _COMPARED:
            self._compare(_COMPARED[target], *node.args)
        elif target is _COPY and dtype_of(node) == torch.bool:
            self._compare("ne", node.args[0], 0.0)
        elif aten_of(node) in MOVES and (share := self._share(node.args[0])) is not None:
            self._give(self._call(target, share, *node.args[1:], **node.kwargs))
        elif target in _NOT and (share := self._share(node.args[0])) is not None:
            self._give(self._other(share))
        elif target in _JOINED and dtype_of(node) == torch.bool:
            first, second = (self._share(arg) for arg in node.args)
            if first is not None and second is not None:
                self._give(self._call(_JOINED[target], first, second))
        elif target in _CHOICES and _is_float(node):
            self._choose(*(node.args[place] for place in _CHOICES[target]))
        elif target is _COPY and _is_float(node):
            if (share := self._share(node.args[0])) is not None:
                self.writer.replace(share)
        elif target in _ARITHMETIC and _is_float(node):
            for arg in node.args:
                if isinstance(arg, Node) and (share := self._share(arg)) is not None:
                    node.replace_input_with(arg, share)

    def _compare(self, how: str, first: Node, second: Any) -> None:
        if not all(_is_float(arg) for arg in (first, second) if isinstance(arg, Node)):
            return
        if _is_number(second):
            second = float(second)  # of integers ExecuTorch makes tensors that it then converts
        apart = first if second == 0.0 else self._call(_aten.sub.Tensor, first, second)
        if how in ("eq", "ne"):
            apart = self._call(_aten.abs.default, apart)
        sign = -1.0 if how in ("lt", "ge") else 1.0
        scaled = self._call(_aten.mul.Tensor, apart, sign * _LARGE)
        share = self._call(_aten.clamp.default, scaled, 0.0, 1.0)
        self._give(self._other(share) if how in ("ge", "le", "eq") else share)

    def _choose(self, condition: Node, chosen: Any, other: Any) -> None:
        share = self._share(condition)
        if share is None:
            return
        parts = [
            self._part(condition, chosen, share, holds=True),
            self._part(condition, other, self._other(share), holds=False),
        ]
        kept = [part for part in parts if part is not None]
        if NotImplemented in kept or not kept:
            return
        found = kept[0] if len(kept) == 1 else self._call(_aten.add.Tensor, *kept)
        if shape_of(found) != shape_of(self.node):
            found = self._call(_aten.expand.default, found, list(shape_of(self.node)))
        self.writer.replace(found)

    def _part(self, condition: Node, value: Any, share: Node, *, holds: bool) -> Any:
        """Return ``value`` times its ``share``; ``None`` where that is 0."""
        number = _number(value)
        if number == 0:
            return None
        if condition not in self.is_computed and value not in self.is_computed:
            # A constant: there is no product, which an infinite value would spoil.
            return self._kept(condition, value if number is None else number, holds=holds)
        if number is None:
            return self._call(_aten.mul.Tensor, value, share) if _is_float(value) else NotImplemented
        if math.isinf(number):  # the logarithm of the other side's share: 0 there, and -inf here
            found = self._call(_aten.log.default, self._other(share))
            return found if number < 0 else self._call(_aten.mul.Tensor, found, -1.0)
        if math.isnan(number):
            return NotImplemented
        return share if number == 1 else self._call(_aten.mul.Tensor, share, number)

    def _kept(self, condition: Node, value: Any, *, holds: bool) -> Node:
        """Return the constant that is ``value`` where the condition holds, or where not, and else 0."""
        where = self.constants.value(condition)
        kept = self.constants.value(value) if isinstance(value, Node) else torch.tensor(float(value))
        return self.constants.add(torch.where(where if holds else ~where, kept, torch.zeros(())))

    def _share(self, condition: Any) -> Node | None:
        """Return the share of a condition; ``None`` where it is given from outside or of integers."""
        if not isinstance(condition, Node) or dtype_of(condition) != torch.bool:
            return None
        if condition not in self.shares:
            if condition in self.is_computed:
                return None
            self.shares[condition] = self.constants.add(self.constants.value(condition).float())
        return self.shares[condition]

    def _other(self, share: Node) -> Node:
        """Return the share of the contrary."""
        return self._call(_aten.add.Tensor, self._call(_aten.mul.Tensor, share, -1.0), 1.0)

    def _give(self, share: Node) -> None:
        self.shares[self.node] = share

    def _call(self, op: Callable[..., Any], *args: Any, **kwargs: Any) -> Node:
        made = self.writer.call(op, *args, **kwargs)
        if not self.is_computed.isdisjoint(made.all_input_nodes):
            self.is_computed.add(made)
        return made


def _is_float(node: Any) -> bool:
    return isinstance(node, Node) and dtype_of(node) == torch.float32


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any) -> float | None:
    """Return the number that ``value`` is everywhere, if it is one."""
    if isinstance(value, Node):
        places = {_aten.full.default: 1, _aten.full_like.default: 1, _aten.scalar_tensor.default: 0}
        place = places.get(value.target)
        value = None if place is None else value.args[place]
    return float(value) if _is_number(value) else None
