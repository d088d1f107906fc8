"""Write integer constants next to float tensors as floats: ``x * 3`` as ``x * 3.0``.

Both compute the same, but ExecuTorch makes an int64 tensor of the first and converts it at run
time, outside the delegate (1.5.1).
"""

from __future__ import annotations

import torch
from torch.export import ExportedProgram
from torch.fx import Node

_OPS = {"add", "add_", "sub", "sub_", "rsub", "mul", "mul_", "div", "div_", "maximum", "minimum"}


def write_integers_as_floats(program: ExportedProgram) -> None:
    """Change, in place, the integer operands of float arithmetic in ``program``."""
    for node in program.graph.nodes:
        if node.op != "call_function" or not isinstance(node.target, torch._ops.OpOverload):
            continue
        if node.target.overloadpacket.__name__ in _OPS and all(map(_is_float, node.all_input_nodes)):
            node.args = tuple(float(arg) if type(arg) is int else arg for arg in node.args)


def _is_float(node: Node) -> bool:
    value = node.meta.get("val")
    return isinstance(value, torch.Tensor) and value.is_floating_point()
