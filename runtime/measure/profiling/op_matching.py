"""Find which op of a workload each op of a profile is: XNNPACK's profiler names kernels, not modules.

Both lists are in the order of execution, so the best alignment that keeps the order and pairs only
ops of fitting kinds is taken. What finds no partner, such as a change of layout that the engine
added, stays without one.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.bundle.workload import Op

# How names of XNNPACK's operators begin; all others work element by element.
_KINDS = {
    "conv2d": ("Convolution", "Deconvolution"),
    "matmul": ("Dynamic Fully Connected", "Batch Matrix Multiply"),
    "linear": ("Fully Connected",),
    "pool": ("Average Pooling", "Global Average Pooling", "Max Pooling", "ArgMax Pooling", "Mean", "Sum",
             "Reduce"),
    "softmax": ("Softmax",),
    "copy": ("Transpose", "Copy (", "Slice", "Concatenate", "Constant Pad", "Depth To Space",
             "Space To Depth", "Static Reshape", "Static Expand Dims", "Split",
             "Even Split", "Fuse Dims", "Unpooling"),
}  # fmt: skip
_DEPTHWISE = ("DWConv", "VMulCAddC")
_SAME, _ALIKE = 5, 3
_CHEAP = {"elementwise": 2, "copy": 1, "other": 1}
# Pairs of kinds that may be one op: (profile's, workload's).
_FITTING = {
    ("conv2d", "depthwise_conv2d"), ("depthwise_conv2d", "conv2d"), ("conv2d", "linear"),
    ("linear", "matmul"), ("matmul", "linear"), ("linear", "conv2d"), ("elementwise", "other"),
}  # fmt: skip


def kind_of(name: str) -> str:
    """Return the kind (see ``OP_KINDS``) of an op inside XNNPACK by the name its profiler gives.

    Example:
        >>> kind_of("Convolution (NHWC, F32) DWConv")
        'depthwise_conv2d'
    """
    if name == "DELEGATE_CALL":
        return "other"
    kind = next((kind for kind, begins in _KINDS.items() if name.startswith(begins)), "elementwise")
    return "depthwise_conv2d" if kind == "conv2d" and name.endswith(_DEPTHWISE) else kind


def match_ops(kinds: Sequence[str], ops: Sequence[Op]) -> list[Op | None]:
    """Return for each kind, in order, the op of ``ops`` that fits best, or ``None``."""
    rows, columns = len(kinds), len(ops)
    best = [[0] * (columns + 1) for _ in range(rows + 1)]  # of the rest from (row, column) on
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            worth = _worth(kinds[i], ops[j].kind)
            paired = best[i + 1][j + 1] + worth if worth else 0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    found: list[Op | None] = [None] * rows
    i = j = 0
    while i < rows and j < columns:
        worth = _worth(kinds[i], ops[j].kind)
        if worth and best[i][j] == best[i + 1][j + 1] + worth:
            found[i] = ops[j]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def _worth(kind: str, other: str) -> int:
    if kind == other:
        return _CHEAP.get(kind, _SAME)
    return (1 if kind in _CHEAP else _ALIKE) if (kind, other) in _FITTING else 0
