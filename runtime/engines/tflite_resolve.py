"""``python -m runtime.engines.tflite_resolve FILE``: the shape of every tensor at given input shapes.

Reads ``{"input": [1, 96]}`` from stdin and prints the shapes of the main graph's tensors in their order. A
process of its own, because LiteRT ends the one it runs in where a file is not what it expects.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from runtime.extras import require


def resolve(path: str, shapes: dict[str, list[int]]) -> list[list[int]]:
    """Return the shapes after one frame of zeros: some are known only then.

    Raises:
        RuntimeError, ValueError: LiteRT cannot run the file at these shapes.
    """
    return shapes_of(run_zeros(path, shapes))


def run_zeros(path: str, shapes: Mapping[str, Sequence[int]]) -> Any:
    """Return an interpreter without delegates that ran one frame of zeros; raises as ``resolve``."""
    np = require("numpy", extra="litert")
    litert = require("ai_edge_litert.interpreter", extra="litert")
    model = litert.Interpreter(
        path,
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    for one in model.get_input_details():
        if one["name"] in shapes:
            model.resize_tensor_input(one["index"], np.asarray(shapes[one["name"]], np.int32))
    model.allocate_tensors()
    for one in model.get_input_details():
        model.set_tensor(one["index"], np.zeros(one["shape"], one["dtype"]))
    model.invoke()
    return model


def shapes_of(model: Any) -> list[list[int]]:
    """Return the shapes of an interpreter's tensors in the file's order; of what no op uses, none."""
    found = {one["index"]: [int(side) for side in one["shape"]] for one in model.get_tensor_details()}
    return [found.get(index, []) for index in range(max(found) + 1)]


if __name__ == "__main__":
    try:
        print(json.dumps(resolve(sys.argv[1], json.load(sys.stdin))))
    except (RuntimeError, ValueError, MemoryError, OverflowError) as err:
        sys.exit(str(err) or type(err).__name__)
