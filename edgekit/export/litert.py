"""Export to LiteRT: a ``.tflite`` file and what its XNNPACK delegate leaves out when it is loaded."""

from __future__ import annotations

import functools

import torch
from torch import nn
from torch.export import ExportedProgram

from edgekit.export._quiet import exporting
from edgekit.export.backend import EXPORT_BACKENDS, Exported
from edgekit.export.executorch import first_line
from edgekit.export.litert_graph import rewritten_graphs
from edgekit.export.lower import choose_layout
from edgekit.export.lower.ops import litert_rules
from edgekit.export.tflite_bytes import dequantise_bytes
from runtime.bundle.staging import staging_folder
from runtime.engines.tflite_delegation import read_delegation
from runtime.engines.tflite_graph import read_tflite
from runtime.engines.tflite_names import ROOT, NameOf, module_path, scope
from runtime.errors import DeviceError, ExportError
from runtime.extras import require


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
        add_litert_rules()
        choose_layout(model, channels_last=True)
        try:
            with rewritten_graphs():
                data = bytes(litert_torch.convert(model, example).model_content())
        except Exception as err:
            raise ExportError(f"litert-torch could not convert the model: {first_line(err)}") from err
        finally:
            choose_layout(model, channels_last=False)
    return describe(dequantise_bytes(data), module_names(model))


@functools.cache  # added a second time they would lie on top of themselves
def add_litert_rules() -> None:
    """Let litert-torch take ops apart by our rules.

    Raises:
        MissingExtra: litert-torch is not installed.
    """
    decomp = require("litert_torch.fx_infra.decomp", extra="litert-export")
    decomp.update_pre_convert_decomp(litert_rules(decomp.pre_convert_decomp()))


def describe(data: bytes, name_of: NameOf) -> Exported:
    """Return the ``.tflite`` file ``data`` with what its delegate takes and what its ops cost.

    Raises:
        ExportError: LiteRT cannot load it.
    """
    with staging_folder() as folder:
        path = folder / "model.tflite"
        path.write_bytes(data)
        try:
            delegation = read_delegation(path, name_of)
        except DeviceError as err:
            raise ExportError(
                f"LiteRT cannot load what was made of the model: {err}; "
                "write the op that it names with others"
            ) from err
        graph = read_tflite(path, name_of)
    return Exported(
        data=data,
        suffix=".tflite",
        delegate="xnnpack",
        delegation=delegation,
        workload=graph.workload,
        packages=("torch", "litert-torch", "litert-converter", "ai-edge-litert"),
        ops=frozenset(graph.op_counts),
    )


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


def _class_name(module: nn.Module) -> str:
    kind = type(module)
    return f"{kind.__module__}.{kind.__qualname__}"
