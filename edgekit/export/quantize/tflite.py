"""Quantise for LiteRT: ai-edge-quantizer on the converted float file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from edgekit.export.quantize.plan import QuantizationPlan, is_below
from runtime.bundle import IoScale
from runtime.engines.tflite_names import NameOf
from runtime.extras import require

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
# XNNPACK runs these with int8 weights on float activations; a depthwise one would leave it.
_DYNAMIC = ("CONV_2D", "FULLY_CONNECTED")


def quantize_tflite(
    data: bytes, model: nn.Module, rounded: nn.Module, plan: QuantizationPlan, name_of: NameOf
) -> bytes:
    """Return the float file ``data`` quantised as ``plan`` says.

    Args:
        data: contents of the ``.tflite`` file made of ``model``.
        model: the lowered model.
        rounded: the same with the weights that are to be in the file, see ``round_weights``.
        name_of: finds the module in a tensor's name, see ``module_names``.

    Raises:
        MissingExtra: ai-edge-quantizer is not installed.
    """
    quantizer = require("ai_edge_quantizer.quantizer", extra="litert-export")
    graph = _Graph(data, model, name_of)
    graph.put_weights(rounded, plan)
    data = graph.to_bytes()
    work = quantizer.Quantizer(bytearray(data))
    for regex, op, how in _rules(graph, plan):
        if how == "float":
            work.update_quantization_recipe(regex, op, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE)
        elif how == "dynamic":
            work.add_dynamic_config(regex, op, num_bits=8)
        else:
            work.add_static_config(regex, op, activation_num_bits=8, weight_num_bits=8)
    ranges = _calibrate(data, work, plan) if plan.is_static else None
    result = work.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model)


class _Graph:
    """The main graph of a float file, its ops with the modules they come from."""

    def __init__(self, data: bytes, model: nn.Module, name_of: NameOf):
        self._tools = require("ai_edge_litert.tools.flatbuffer_utils", extra="litert-export")
        self._schema = require("ai_edge_litert.schema_py_generated", extra="litert-export")
        self._model = self._tools.read_model_from_bytearray(bytearray(data))
        self._graph = self._model.subgraphs[0]
        self._name_of = name_of
        self._layers = {
            _content(layout(module.weight)): path
            for path, module in model.named_modules()
            if isinstance(module, (nn.Conv2d, nn.Linear))
            for layout in _layouts(module)
        }
        self.ops = list(self._ops())  # before any weight changes: weights tell where an op comes from

    def _ops(self) -> Iterator[tuple[str, list[str], str | None, Any]]:
        """Yield name, output tensors, module path and the op itself."""
        for op in self._graph.operators:
            name = self._tools.opcode_to_name(self._model, op.opcodeIndex)
            outputs = [self._graph.tensors[i].name.decode() for i in op.outputs]
            # The last op's output has the graph's name, not the module's; its weights tell.
            path = self._layers.get(self._constant(op.inputs[1])) if name in _WEIGHTED else None
            if path is None:
                found = (self._name_of(output, name in _WEIGHTED) for output in outputs)
                path = next((one for one in found if one is not None), None)
            yield name, outputs, path, op

    def is_output(self, op: Any) -> bool:
        """Return whether the graph gives back what ``op`` makes."""
        return not set(op.outputs).isdisjoint(self._graph.outputs)

    def put_weights(self, rounded: nn.Module, plan: QuantizationPlan) -> None:
        """Replace the weights and biases of what is quantised by those of ``rounded``.

        Converting ``rounded`` instead would take as long as the first conversion did.
        """
        modules = dict(rounded.named_modules())
        changes = [
            (op, modules[path])
            for name, _, path, op in self.ops
            if name in _WEIGHTED and path is not None and not plan.is_float(path)
            if self._layers.get(self._constant(op.inputs[1])) == path
        ]
        for op, layer in changes:
            shape = tuple(self._graph.tensors[op.inputs[1]].shape)
            (array, *_) = [a for layout in _layouts(layer) if (a := layout(layer.weight)).shape == shape]
            self._put(op, 1, array)
            if layer.bias is not None:
                self._put(op, 2, layer.bias.detach().numpy())

    def to_bytes(self) -> bytes:
        """Return the file."""
        return bytes(self._tools.convert_object_to_bytearray(self._model))

    def _put(self, op: Any, position: int, array: np.ndarray) -> None:
        """Make ``array`` the op's input at ``position``, and no other op's: equal constants are shared."""
        given = op.inputs[position] if position < len(op.inputs) else -1  # -1: a bias of zeros is dropped
        if given >= 0 and sum(list(other.inputs).count(given) for other in self._graph.operators) == 1:
            tensor = self._graph.tensors[given]
        else:
            weight = self._graph.tensors[op.inputs[1]]
            tensor = self._schema.TensorT()
            tensor.name = weight.name + f";own{len(self._graph.tensors)}".encode()
            tensor.type, tensor.shape = weight.type, np.array(array.shape, np.int32)
            op.inputs = [*op.inputs[:position], len(self._graph.tensors), *op.inputs[position + 1 :]]
            self._graph.tensors.append(tensor)
        if not tensor.buffer or sum(other.buffer == tensor.buffer for other in self._graph.tensors) > 1:
            self._model.buffers.append(self._schema.BufferT())  # number 0 is that of tensors without one
            tensor.buffer = len(self._model.buffers) - 1
        raw = np.ascontiguousarray(array, dtype=np.float32).tobytes()
        self._model.buffers[tensor.buffer].data = np.frombuffer(raw, dtype=np.uint8)

    def _constant(self, index: int) -> tuple[tuple[int, ...], bytes]:
        tensor = self._graph.tensors[index]
        data = self._model.buffers[tensor.buffer].data
        raw = b"" if data is None else np.asarray(data, dtype=np.uint8).tobytes()
        return tuple(tensor.shape), hashlib.sha256(raw).digest()


def _layouts(layer: nn.Module) -> list[Callable[[torch.Tensor], np.ndarray]]:
    """Return how a layer's weight may lie in a file."""
    if isinstance(layer, nn.Linear):
        return [lambda weight: weight.detach().numpy()]
    order = (1, 2, 3, 0) if layer.groups > 1 else (0, 2, 3, 1)  # depthwise (1, H, W, N), else (N, H, W, C)
    layouts = [lambda weight: weight.detach().permute(order).contiguous().numpy()]
    if layer.kernel_size == (1, 1) and layer.groups == 1:  # on a map of one pixel
        layouts.append(lambda weight: weight.detach().flatten(1).numpy())
    return layouts


def _content(array: np.ndarray) -> tuple[tuple[int, ...], bytes]:
    return array.shape, hashlib.sha256(np.ascontiguousarray(array).tobytes()).digest()


def _rules(graph: _Graph, plan: QuantizationPlan) -> Iterator[tuple[str, Any, str]]:
    """Yield (regex on output tensors, operation, how) for the recipe; a later rule wins."""
    names = require("ai_edge_quantizer.qtyping", extra="litert-export").TFLOperationName
    if plan.is_static:
        yield ".*", names.ALL_SUPPORTED, "static"
    else:
        for op in _DYNAMIC:
            yield ".*", names[op], "dynamic"
    if not plan.int8_io:
        yield ".*", names.INPUT, "float"
        yield ".*", names.OUTPUT, "float"
    for op_name, outputs, path, op in graph.ops:
        scope = f"^{re.escape(';'.join(outputs))};$"
        if path is None:
            if not plan.int8_io and graph.is_output(op):  # it has lost its name, and follows the heads
                yield scope, names.ALL_SUPPORTED, "float"
            continue
        if plan.is_float(path):
            yield scope, names.ALL_SUPPORTED, "float"
        elif plan.is_static and not plan.int8_io and is_below(path, plan.heads):
            if op_name in _DYNAMIC:
                yield scope, names[op_name], "dynamic"
            else:
                yield scope, names.ALL_SUPPORTED, "float"


def _calibrate(data: bytes, work: Any, plan: QuantizationPlan) -> dict[str, Any]:
    """Return each tensor's range: the mean over the frames of each frame's extremes.

    As it comes, ai-edge-quantizer weighs the first frame most and the last one 5 %.
    """
    calibrator = require("ai_edge_quantizer.calibrator", extra="litert-export")
    assert plan.calibration is not None
    interpreter = require("ai_edge_litert.interpreter", extra="litert")
    signatures = interpreter.Interpreter(model_content=data).get_signature_list()
    (key, signature), *_ = signatures.items()

    def update(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        seen = old.get("frames", 1)
        mean = {end: old[end] + (new[end] - old[end]) / (seen + 1) for end in ("min", "max")}
        return {**old, **mean, "frames": seen + 1}

    tool = calibrator.Calibrator(bytearray(data), num_threads=1, qsv_update_func=update)
    frames = [dict(zip(signature["inputs"], frame, strict=True)) for frame in plan.calibration.frames]
    tool.calibrate({key: frames}, work._recipe_manager)
    return {
        name: {end: value for end, value in found.items() if end != "frames"}
        for name, found in tool.get_model_qsvs().items()
    }


def read_scales(data: bytes) -> dict[str, tuple[IoScale, ...]]:
    """Return what the int8 ``inputs`` and ``outputs`` of a file mean."""
    interpreter = require("ai_edge_litert.interpreter", extra="litert")
    model = interpreter.Interpreter(model_content=data)
    sides = {"inputs": model.get_input_details(), "outputs": model.get_output_details()}
    return {
        side: tuple(IoScale(float(d["quantization"][0]), int(d["quantization"][1])) for d in details)
        for side, details in sides.items()
    }
