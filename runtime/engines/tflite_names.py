"""Find the torch module behind a tensor of a ``.tflite`` file that litert-torch wrote.

Containers that are never called, such as ``ModuleList``, are not in the names.
"""

from __future__ import annotations

import re
from collections.abc import Callable

ROOT = "(model)"
NameOf = Callable[[str, bool], str | None]
# Names that litert-torch gives: pkg.Net/pkg.Block_3/torch.nn.modules.conv.Conv2d_conv;1
# MLIR's own constants, arith.constant3, look alike.
_SCOPE = re.compile(r"(?!arith\.)((?:[\w<>]+\.)+[\w<>]+(?:/[\w.<>]+)*);?\d*")
WEIGHTED_OPS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")
_WEIGHTED = re.compile(r"\w*(Conv\w*|Linear)_")


def module_path(tensor_name: str, weighted: bool = False) -> str | None:
    """Return the module path inside a tensor's name, or ``None`` when litert-torch did not write it.

    Args:
        tensor_name: joins the scopes of all modules that were fused into one op.
        weighted: the op is a convolution or linear layer: take that module, not its activation.

    Example:
        >>> module_path("net.Net/net.Block_3/torch.nn.modules.conv.Conv2d_dw;1")
        '3.dw'
    """
    chosen = scope(tensor_name, weighted)
    if chosen is None:
        return None
    # Only the file is known here, so "Class_attribute" is cut at the first underscore.
    names = [part.rpartition(".")[2].partition("_")[2] for part in chosen.split("/")]
    return ".".join(filter(None, names)) or ROOT


def scope(tensor_name: str, weighted: bool = False) -> str | None:
    """Return the one scope, ``pkg.Net/pkg.Block_3``, that names the op; see ``module_path``."""
    scopes = [match[1] for part in tensor_name.split(";;") if (match := _SCOPE.fullmatch(part))]
    if weighted:
        leaves = [s for s in scopes if _WEIGHTED.match(s.rpartition("/")[2].rpartition(".")[2])]
        scopes = leaves[-1:] or scopes
    return scopes[0] if scopes else None
