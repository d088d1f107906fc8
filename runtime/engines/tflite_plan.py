"""Which ops of a ``.tflite`` file a loaded interpreter runs in a delegate, and which by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PlannedOp:
    """One op of the file: its place there, its name in the schema and the names of its outputs."""

    index: int
    name: str
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class ExecutionPlan:
    """The file's ops, and the places of those that each delegate call runs, in the order of the calls.

    ``precision`` is that of a variant: see ``runtime.bundle``.
    """

    ops: tuple[PlannedOp, ...]
    partitions: tuple[tuple[int, ...], ...]
    precision: str = "fp32"


def plan_of(interpreter: Any) -> ExecutionPlan:
    """Return the plan of a LiteRT interpreter whose tensors are allocated."""
    nodes = interpreter._get_ops_details()  # there is no public list; the delegates stand at its end
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
    ops = [node for node in nodes if node["op_name"] != "DELEGATE"]
    delegates = [node for node in nodes if node["op_name"] == "DELEGATE"]
    planned = (
        PlannedOp(int(op["index"]), op["op_name"], tuple(names.get(int(t), "") for t in op["outputs"]))
        for op in ops
    )
    return ExecutionPlan(tuple(planned), _inside(ops, delegates), _precision(interpreter, ops))


def _inside(ops: list[dict[str, Any]], delegates: list[dict[str, Any]]) -> tuple[tuple[int, ...], ...]:
    """Return the indices of the ops that each delegate computes: from its outputs back to its inputs."""
    maker = {int(tensor): op for op in ops for tensor in op["outputs"]}
    taken: set[int] = set()
    partitions = []
    for delegate in delegates:
        given = {int(tensor) for tensor in delegate["inputs"]}
        wanted = [int(tensor) for tensor in delegate["outputs"]]
        own = []
        while wanted:
            op = maker.get(wanted.pop())
            if op is None or op["index"] in taken:
                continue
            taken.add(op["index"])
            own.append(int(op["index"]))
            wanted.extend(int(tensor) for tensor in op["inputs"] if int(tensor) not in given)
        partitions.append(tuple(sorted(own)))
    return tuple(partitions)


def _precision(interpreter: Any, ops: list[dict[str, Any]]) -> str:
    """Tell the precision: bytes in, or ops that make bytes: static. Else most weights are bytes: dynamic."""
    inputs = interpreter.get_input_details()
    names = {op["op_name"] for op in ops}
    if "QUANTIZE" in names or any(detail["dtype"].__name__ in ("int8", "uint8") for detail in inputs):
        return "static_wi8_ai8"
    made = {int(t) for op in ops for t in op["outputs"]} | {int(detail["index"]) for detail in inputs}
    read = {int(t) for op in ops for t in op["inputs"]} - made
    sizes: dict[str, int] = {}
    for tensor in interpreter.get_tensor_details():
        if tensor["index"] in read:
            dtype = tensor["dtype"].__name__
            sizes[dtype] = sizes.get(dtype, 0) + math.prod(map(int, tensor["shape"]))
    return "dynamic_wi8_afp32" if sizes.get("int8", 0) * 2 > sum(sizes.values()) else "fp32"
