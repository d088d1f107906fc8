"""Let bytes that a model turns into floats be floats from the start: delegates compute with no others.

A camera gives bytes. ``x.permute(0, 3, 1, 2).float() / 255`` moves them first, outside the delegate, and
converts them there; converted first, the rest is what it is for floats. A mask of booleans is bytes, too:
``mask`` becomes ``mask.float() != 0``, a condition on floats.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from edgekit.export.lower.conditions import makes_condition, passes_condition_on, reads_condition
from edgekit.export.lower.writer import MOVES, Writer, aten_of, dtype_of

_aten = torch.ops.aten
_BYTES = (torch.uint8, torch.int8)
# With bytes on one side and floats, or a float result, on the other these give what they give of floats.
_ARITHMETIC = {"add", "sub", "mul", "div", "true_divide", "rsub"}


def convert_bytes_first(program: ExportedProgram, convert: Callable[[Writer, Node], Node]) -> None:
    """Rewrite ``program`` in place so that its inputs of bytes are converted before all else.

    Args:
        program: whose inputs are converted; one that is also read as integers stays as it is.
        convert: writes what makes floats of an input.
    """
    graph, inputs = program.graph, set(program.graph_signature.user_inputs)
    for node in list(graph.nodes):
        if node.target is _aten._assert_tensor_metadata.default:  # of types that may change here
            graph.erase_node(node)
    for given in [node for node in graph.nodes if node.op == "placeholder" and node.name in inputs]:
        first = next(node for node in graph.nodes if node.op != "placeholder")
        if dtype_of(given) in _BYTES:
            moves = _moves_of(given)
            if moves is not None:
                _read_floats(given, moves, Writer(graph, first), convert)
        elif dtype_of(given) == torch.bool and _is_mask(given):
            readers, writer = list(given.users), Writer(graph, first)
            condition = writer.call(_aten.ne.Scalar, convert(writer, given), 0.0)
            for reader in readers:
                reader.replace_input_with(given, condition)
    program.graph_module.recompile()


def _read_floats(
    given: Node, moves: list[Node], writer: Writer, convert: Callable[[Writer, Node], Node]
) -> None:
    """Let all that reads the bytes of ``given``, moved or not, read floats."""
    readers = list(given.users)
    floats = convert(writer, given)
    for reader in readers:
        reader.replace_input_with(given, floats)
    for move in moves:
        move.meta["val"] = move.meta["val"].to(torch.float32)
    for source in (floats, *moves):
        for reader in list(source.users):
            if reader.target is _aten._to_copy.default and dtype_of(reader) == torch.float32:
                reader.replace_all_uses_with(source)
                writer.graph.erase_node(reader)


def _moves_of(given: Node) -> list[Node] | None:
    """Return what moves the bytes of ``given`` until they become floats; ``None`` where they do not."""
    moves: list[Node] = []
    waiting = [given]
    while waiting:
        for reader in waiting.pop().users:
            name, made = aten_of(reader), dtype_of(reader)
            if made == dtype_of(given) and (name in MOVES or name == "cat"):
                if reader not in moves:
                    moves.append(reader)
                    waiting.append(reader)
            elif makes_condition(reader):
                continue
            elif made != torch.float32 or name not in (*_ARITHMETIC, "_to_copy"):
                return None
    joined = [source for move in moves if aten_of(move) == "cat" for source in move.all_input_nodes]
    return moves if {given, *moves}.issuperset(joined) else None


def _is_mask(given: Node) -> bool:
    """Return whether all that the booleans of ``given`` do is to choose between floats."""
    waiting = [given]
    while waiting:
        for reader in waiting.pop().users:
            if passes_condition_on(reader):
                waiting.append(reader)
            elif not reads_condition(reader):
                return False
    return True
