"""What LiteRT's XNNPACK delegate takes of a ``.tflite`` file, and what it leaves."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.bundle import Delegation, FallbackOp
from runtime.engines.tflite_names import ROOT, NameOf, module_path
from runtime.engines.xnnpack_rules import refusals
from runtime.extras import require

_WEIGHTED_OPS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")


def read_delegation(source: bytes | str | os.PathLike[str], name_of: NameOf = module_path) -> Delegation:
    """Load a model with the default XNNPACK delegate and count the ops it took.

    The interpreter does not tell why an op was left: the reasons are derived from the file.

    Args:
        source: contents or path of a ``.tflite`` file.
        name_of: finds the module in a tensor's name.

    Raises:
        MissingExtra: ai-edge-litert is not installed.
    """
    plan = _read_plan(source)
    taken = {index for partition in plan.partitions for index in partition}
    left = [op for op in plan.ops if op["index"] not in taken]
    reasons = refusals(plan.data, [op["index"] for op in left])
    fallback = tuple(
        FallbackOp(op["op_name"], _module_of(op, plan.names, name_of), reasons[op["index"]]) for op in left
    )
    return Delegation(len(taken), len(plan.ops), len(plan.partitions), fallback)


def read_partitions(path: str | os.PathLike[str]) -> tuple[tuple[int, ...], ...]:
    """Return the indices of the file's ops that each delegate call runs, in the order of the calls."""
    return _read_plan(path).partitions


@dataclass(frozen=True)
class _Plan:
    """``ops`` are the file's; ``partitions`` the indices each delegate runs; ``names`` the tensors'."""

    data: bytes
    ops: list[dict[str, Any]]
    partitions: tuple[tuple[int, ...], ...]
    names: dict[int, str]


def _read_plan(source: bytes | str | os.PathLike[str]) -> _Plan:
    litert = require("ai_edge_litert.interpreter", extra="litert")
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    interpreter = litert.Interpreter(model_content=data, num_threads=1)
    interpreter.allocate_tensors()
    nodes = interpreter._get_ops_details()  # there is no public list; the delegates stand at its end
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
    ops = [node for node in nodes if node["op_name"] != "DELEGATE"]
    delegates = [node for node in nodes if node["op_name"] == "DELEGATE"]
    return _Plan(data, ops, _inside(ops, delegates), names)


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


def _module_of(op: dict[str, Any], names: dict[int, str], name_of: NameOf) -> str:
    for tensor in op["outputs"]:
        found = name_of(names.get(int(tensor), ""), op["op_name"] in _WEIGHTED_OPS)
        if found is not None:
            return found
    return names.get(int(op["outputs"][0]), ROOT) if len(op["outputs"]) else ROOT
