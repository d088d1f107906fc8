"""What an old ``tflite_runtime`` would compute wrongly without a word.

Newer kernels take a scale per channel of a fully connected layer's int8 weights: op version 12, see
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/lite/tools/versioning/op_version.cc
Older ones take the scale of such weights for 0 and return the bias. ai-edge-quantizer 0.10 writes
these layers as version 5, so the interpreter's own check does not see it. Seen with tflite-runtime 2.14.0.
"""

from __future__ import annotations

import struct
from pathlib import Path

from runtime.engines.flatbuffer import Table, read_uint32

_FULLY_CONNECTED = 9
_INT8 = 9  # TensorType


def too_new(path: str | Path) -> str | None:
    """Return why ``tflite_runtime`` must not run the file at ``path``; ``None``: it may, or is damaged."""
    data = Path(path).read_bytes()
    try:
        model = Table(data, read_uint32(data, 0))
        kinds = [_kind(code) for code in model.tables(1)]
        for graph in model.tables(2):
            tensors = list(graph.tables(0))
            for index, op in enumerate(graph.tables(3)):
                if kinds[op.number(0, "<I", 0)] == _FULLY_CONNECTED and _has_scales(
                    tensors[op.numbers(1, "i")[1]]
                ):
                    return (
                        f"op {index}, FULLY_CONNECTED, has int8 weights with a scale per channel, which "
                        "is op version 12 (whatever the file says) and which old ones compute as 0"
                    )
    except (struct.error, IndexError):
        return None  # the interpreter says it better
    return None


def _kind(code: Table) -> int:
    return max(code.number(0, "<b", 0), code.number(3, "<i", 0))  # small numbers stand in the older field too


def _has_scales(weights: Table) -> bool:
    quantization = weights.table(4)
    return weights.number(1, "<b", 0) == _INT8 and quantization is not None and quantization.count(2) > 1
