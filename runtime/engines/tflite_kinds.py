"""Which kind of work the ops of a ``.tflite`` file are, by their names in the schema."""

from __future__ import annotations

POOLS = {"AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "ARG_MAX"}
COPIES = {
    "RESHAPE", "TRANSPOSE", "CONCATENATION", "PAD", "PADV2", "MIRROR_PAD", "SLICE", "STRIDED_SLICE", "SPLIT",
    "SPLIT_V", "PACK", "UNPACK", "GATHER", "GATHER_ND", "SQUEEZE", "EXPAND_DIMS", "TILE", "BROADCAST_TO",
    "SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND",
}  # fmt: skip
_ELEMENTWISE = {
    "ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "ABS", "NEG", "EXP", "SQRT",
    "RSQRT", "SQUARE", "POW", "LOG", "RELU", "RELU6", "RELU_N1_TO_1", "PRELU", "LEAKY_RELU", "ELU",
    "LOGISTIC", "TANH", "HARD_SWISH", "GELU", "CAST", "QUANTIZE", "DEQUANTIZE", "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR",
}  # fmt: skip
# Ops that run other graphs of the file in a frame: their options, and which fields say which.
CONTROL_FLOW = {
    "IF": ("IfOptions", ("ThenSubgraphIndex", "ElseSubgraphIndex")),
    "WHILE": ("WhileOptions", ("CondSubgraphIndex", "BodySubgraphIndex")),
    "CALL": ("CallOptions", ("Subgraph",)),
}


def kind_by_name(name: str) -> str:
    """Return the kind of an op whose kind its name alone tells, else ``other``."""
    for kind, names in (("pool", POOLS), ("copy", COPIES), ("elementwise", _ELEMENTWISE)):
        if name in names:
            return kind
    return "other"
