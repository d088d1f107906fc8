"""Let bytes that a model turns into floats be floats from the start: delegates compute with no others.

A camera gives bytes. ``x.permute(0, 3, 1, 2).float() / 255`` moves them first, outside the delegate, and
converts them there; converted first, the rest is what it is for floats.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from edgekit.export.lower.writer import Writer

_aten = torch.ops.aten
_BYTES = (torch.uint8, torch.int8)
# Ops that move values about and leave them what they are.
_MOVES = {
    "alias", "clone", "contiguous", "detach", "expand", "permute", "repeat", "reshape", "select", "slice",
    "squeeze", "t", "transpose", "unsqueeze", "view", "_unsafe_view",
}  # fmt: skip
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
        value = given.meta.get("val")
        if not isinstance(value, torch.Tensor) or value.dtype not in _BYTES:
            continue
        moves = _moves_of(given, value.dtype)
        if moves is None:
            continue
        readers, first = list(given.users), next(node for node in graph.nodes if node.op != "placeholder")
        floats = convert(Writer(graph, first), given)
        for reader in readers:
            reader.replace_input_with(given, floats)
        for move in moves:
            move.meta["val"] = move.meta["val"].to(torch.float32)
        for source in (floats, *moves):
            for reader in list(source.users):
                if reader.target is _aten._to_copy.default:
                    reader.replace_all_uses_with(source)
                    graph.erase_node(reader)
    program.graph_module.recompile()


def _moves_of(given: Node, dtype: torch.dtype) -> list[Node] | None:
    """Return what moves the bytes of ``given`` until they become floats; ``None`` where they do not."""
    moves: list[Node] = []
    waiting = [given]
    while waiting:
        for reader in waiting.pop().users:
            name = getattr(getattr(reader.target, "overloadpacket", None), "__name__", "")
            made = reader.meta.get("val")
            if not isinstance(made, torch.Tensor):
                return None
            if made.dtype == dtype and name in _MOVES:
                if reader not in moves:
                    moves.append(reader)
                    waiting.append(reader)
            elif made.dtype != torch.float32 or name not in (*_ARITHMETIC, "_to_copy"):
                return None
    return moves
