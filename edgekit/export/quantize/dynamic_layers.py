"""Which layers XNNPACK runs with int8 weights and ranges found at run time, and how they share these."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from torch.export import ExportedProgram
from torch.fx import Node

from edgekit.export.workload import aten_name

PADS = ("pad", "constant_pad_nd")
CONVS = ("conv2d", "convolution")


def is_dynamic_convolution(node: Node) -> bool:
    """Return whether ``node`` is a convolution over two axes that is not depthwise."""
    if node.op != "call_function" or aten_name(node) not in CONVS or not isinstance(node.args[1], Node):
        return False
    weight = node.args[1].meta.get("val")
    return weight is not None and weight.dim() == 4 and weight.shape[1] > 1


def part_ranges(program: ExportedProgram) -> None:
    """Let each kind of layer that reads a map quantise it by itself, in place.

    XNNPACK of executorch 1.5.1 mixes up unlike kernels that read one quantised map (a block and its
    shortcut, two heads): of kernels of 3x3, 1x1 and 5x5 two come out wrong, by 1 dB. And a linear layer
    takes a map in another layout than a convolution.
    """
    graph = program.graph
    for source in list(graph.nodes):
        if aten_name(source) != "dequantize_per_tensor" or not isinstance(source.args[1], Node):
            continue
        kinds: dict[Hashable, list[Node]] = {}
        for reader in source.users:
            kinds.setdefault(_kind(reader), []).append(reader)
        for readers in list(kinds.values())[1:]:
            with graph.inserting_before(source.next):
                made = _copied(source)
            for reader in readers:
                reader.replace_input_with(source, made)
    program.graph_module.recompile()


def _copied(source: Node) -> Node:
    """Return a copy of what finds a range, quantises and dequantises."""
    quantise: Any = source.args[0]
    scale, zero = quantise.args[1:3]
    made: dict[Node, Node] = {}
    for node in (scale.args[0], scale, zero, quantise, source):
        made[node] = source.graph.node_copy(node, lambda given: made.get(given, given))
    return made[source]


def _kind(reader: Node) -> Hashable:
    """Return what tells one kind of layer: the kernel's sides, stride, padding and so on."""
    if aten_name(reader) not in CONVS:
        return aten_name(reader)
    weight: Any = reader.args[1]
    return (*weight.meta["val"].shape[2:], *map(str, reader.args[3:]))
