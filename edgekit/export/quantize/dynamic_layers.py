"""Which layers XNNPACK runs with int8 weights and ranges found at run time (executorch 1.5.1)."""

from __future__ import annotations

import math
from typing import Any

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


def runs_dynamically(node: Node) -> bool:
    """Return whether ``node``, if it is a convolution, gives the right numbers with dynamic ranges.

    XNNPACK loads a file with a convolution after a padding op but cannot run it. And of convolutions
    with unlike kernels that read one map (a block and its shortcut, two heads) all but one kind come
    out wrong, by 2 dB; those like the most expensive one may stay.
    """
    if node.op != "call_function" or aten_name(node) not in CONVS or not isinstance(node.args[0], Node):
        return True
    source = node.args[0]
    if source.op == "call_function" and aten_name(source) in PADS:
        return False
    readers = [user for user in source.users if is_dynamic_convolution(user)]
    return not readers or _kernel(node) == _kernel(max(readers, key=_macs))


def _kernel(conv: Node) -> tuple[Any, ...]:
    """Return what tells one kind of kernel: its sides, stride, padding and so on."""
    weight: Any = conv.args[1]
    return (*weight.meta["val"].shape[2:], *map(str, conv.args[3:]))


def _macs(conv: Node) -> int:
    weight: Any = conv.args[1]
    return int(conv.meta["val"].numel()) * math.prod(weight.meta["val"].shape[1:])
