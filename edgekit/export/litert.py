"""Export to LiteRT: a ``.tflite`` file and what its XNNPACK delegate leaves out when it is loaded."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram

from edgekit.export._quiet import exporting
from edgekit.export.backend import EXPORT_BACKENDS, Exported
from edgekit.export.executorch import first_line
from runtime.bundle import Delegation, FallbackOp
from runtime.engines.tflite_graph import read_tflite_workload
from runtime.engines.tflite_names import ROOT, NameOf, module_path, scope
from runtime.errors import ExportError
from runtime.extras import require

_WEIGHTED_OPS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")
_NOT_TAKEN = "LiteRT's XNNPACK delegate did not take this op"


@EXPORT_BACKENDS.register("litert")
def export_litert(
    model: nn.Module, example: tuple[torch.Tensor, ...], program: ExportedProgram | None = None
) -> Exported:
    """Export ``model`` as it is for inputs of the shapes of ``example``; see ``Backend``.

    ``program`` is not used: litert-torch traces by itself, which is a twentieth of its time.

    Raises:
        ExportError: litert-torch cannot convert it.
        MissingExtra: litert-torch is not installed.
    """
    with exporting():
        litert_torch = require("litert_torch", extra="litert-export")
        try:
            data = bytes(litert_torch.convert(model, example).model_content())
        except Exception as err:
            raise ExportError(f"litert-torch could not convert the model: {first_line(err)}") from err
        name_of = module_names(model)
        delegation = read_delegation(data, name_of)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(data)
        workload = read_tflite_workload(path, name_of)
    return Exported(
        data=data,
        suffix=".tflite",
        delegate="xnnpack",
        delegation=delegation,
        workload=workload,
        packages=("torch", "litert-torch", "litert-converter", "ai-edge-litert"),
    )


def read_delegation(data: bytes, name_of: NameOf = module_path) -> Delegation:
    """Load a model with the default XNNPACK delegate and count the ops it took.

    Args:
        data: contents of a ``.tflite`` file.
        name_of: finds the module in a tensor's name.
    """
    litert = require("ai_edge_litert.interpreter", extra="litert")
    interpreter = litert.Interpreter(model_content=data, num_threads=1)
    interpreter.allocate_tensors()
    nodes = interpreter._get_ops_details()  # there is no public list; the delegates stand at its end
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
    ops = [node for node in nodes if node["op_name"] != "DELEGATE"]
    delegates = [node for node in nodes if node["op_name"] == "DELEGATE"]
    taken = _inside(ops, delegates)
    fallback = tuple(
        FallbackOp(op["op_name"], _module_of(op, names, name_of), _NOT_TAKEN)
        for op in ops
        if op["index"] not in taken
    )
    return Delegation(len(taken), len(ops), len(delegates), fallback)


def module_names(model: nn.Module) -> NameOf:
    """Return a function that finds the full path of one of ``model``'s modules in a tensor's name.

    A name keeps only the last part of each called module's path; the model tells the rest.
    """
    full: dict[str, set[str]] = {}
    scopes = {"": _class_name(model)}
    for path, module in model.named_modules(remove_duplicate=False):
        if not path:
            continue
        parent, _, last = path.rpartition(".")
        # A container without a forward of its own is never called, so it leaves no trace.
        called = not isinstance(module, (nn.ModuleList, nn.ModuleDict))
        scopes[path] = f"{scopes[parent]}/{_class_name(module)}_{last}" if called else scopes[parent]
        if called:
            full.setdefault(scopes[path], set()).add(path)

    def name_of(tensor_name: str, weighted: bool = False) -> str | None:
        found = scope(tensor_name, weighted)
        if found is None:
            return None
        if found == scopes[""]:
            return ROOT
        paths = full.get(found, set())
        return next(iter(paths)) if len(paths) == 1 else module_path(tensor_name, weighted)

    return name_of


def _inside(ops: list[dict[str, Any]], delegates: list[dict[str, Any]]) -> set[int]:
    """Return the indices of the ops that each delegate computes: from its outputs back to its inputs."""
    maker = {int(tensor): op for op in ops for tensor in op["outputs"]}
    taken: set[int] = set()
    for delegate in delegates:
        given = {int(tensor) for tensor in delegate["inputs"]}
        wanted = [int(tensor) for tensor in delegate["outputs"]]
        while wanted:
            op = maker.get(wanted.pop())
            if op is None or op["index"] in taken:
                continue
            taken.add(op["index"])
            wanted.extend(int(tensor) for tensor in op["inputs"] if int(tensor) not in given)
    return taken


def _module_of(op: dict[str, Any], names: dict[int, str], name_of: NameOf) -> str:
    for tensor in op["outputs"]:
        found = name_of(names.get(int(tensor), ""), op["op_name"] in _WEIGHTED_OPS)
        if found is not None:
            return found
    return names.get(int(op["outputs"][0]), ROOT) if len(op["outputs"]) else ROOT


def _class_name(module: nn.Module) -> str:
    kind = type(module)
    return f"{kind.__module__}.{kind.__qualname__}"
