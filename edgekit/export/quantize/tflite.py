"""Quantise for LiteRT: ai-edge-quantizer on the converted float file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from torch import nn

from edgekit.export.quantize.float_file import HARD_SWISH, SPELT, FloatFile
from edgekit.export.quantize.plan import QuantizationPlan, is_below
from runtime.bundle import IoScale
from runtime.engines.tflite_names import NameOf
from runtime.extras import require

# XNNPACK runs these with int8 weights on float activations; a depthwise one would leave it.
_DYNAMIC = ("CONV_2D", "FULLY_CONNECTED")
# Name of an op, and the path of the module that it is in; with None it is meant wherever it is.
Place = tuple[str, str | None]


def quantize_tflite(
    data: bytes,
    model: nn.Module,
    rounded: nn.Module,
    plan: QuantizationPlan,
    name_of: NameOf,
    float_ops: Collection[Place] = (),
) -> tuple[bytes, bytes]:
    """Return the float file ``data`` quantised as ``plan`` says, and the same before: weights rounded.

    Args:
        data: contents of the ``.tflite`` file made of ``model``.
        model: the lowered model.
        rounded: the same with the weights that are to be in the file, see ``round_weights``.
        name_of: finds the module in a tensor's name, see ``module_names``.
        float_ops: what stays float.

    Raises:
        MissingExtra: ai-edge-quantizer is not installed.
    """
    quantizer = require("ai_edge_quantizer.quantizer", extra="litert-export")
    graph = FloatFile(data, model, name_of)
    graph.put_weights(rounded, plan)
    if plan.is_static:
        # A part of it that stays float would leave the others int8: it stays float whole, unspelt.
        float_ops = {*float_ops, *((HARD_SWISH, path) for op, path in float_ops if op in SPELT and path)}
        graph.spell_out_hard_swish(plan, {path for op, path in float_ops if op == HARD_SWISH})
    data = graph.to_bytes()
    work = quantizer.Quantizer(bytearray(data))
    for regex, op, how in _rules(graph, plan, float_ops):
        if how == "float":
            work.update_quantization_recipe(regex, op, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE)
        elif how == "dynamic":
            work.add_dynamic_config(regex, op, num_bits=8)
        else:
            work.add_static_config(regex, op, activation_num_bits=8, weight_num_bits=8)
    ranges = _calibrate(data, work, plan) if plan.is_static else None
    result = work.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model), data


def _rules(
    graph: FloatFile, plan: QuantizationPlan, float_ops: Collection[Place]
) -> Iterator[tuple[str, Any, str]]:
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
        if (op_name, path) in float_ops or (op_name, None) in float_ops:
            yield scope, names.ALL_SUPPORTED, "float"
            continue
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
    file = interpreter.Interpreter(model_content=data)
    (key, signature), *_ = file.get_signature_list().items()

    def update(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        seen = old.get("frames", 1)
        # Comparisons give booleans, which numpy does not subtract.
        ends = {end: [np.asarray(one[end], np.float32) for one in (old, new)] for end in ("min", "max")}
        mean = {end: before + (after - before) / (seen + 1) for end, (before, after) in ends.items()}
        return {**old, **mean, "frames": seen + 1}

    tool = calibrator.Calibrator(bytearray(data), num_threads=1, qsv_update_func=update)
    # Files take 32-bit integers where the model takes 64.
    types = file.get_signature_runner(key).get_input_details()
    frames = [
        {
            name: array.astype(types[name]["dtype"])
            for name, array in zip(signature["inputs"], frame, strict=True)
        }
        for frame in plan.calibration.frames
    ]
    tool.calibrate({key: frames}, work._recipe_manager)
    ranges = {
        name: {end: value for end, value in found.items() if end != "frames"}
        for name, found in tool.get_model_qsvs().items()
    }
    # Where every op stays float or dynamic there are none, which would be taken for not calibrated.
    return ranges or {"": {"min": np.zeros(1), "max": np.ones(1)}}


def read_scales(data: bytes) -> dict[str, tuple[IoScale, ...]]:
    """Return what the int8 ``inputs`` and ``outputs`` of a file mean."""
    interpreter = require("ai_edge_litert.interpreter", extra="litert")
    model = interpreter.Interpreter(model_content=data)
    sides = {"inputs": model.get_input_details(), "outputs": model.get_output_details()}
    return {
        side: tuple(IoScale(float(d["quantization"][0]), int(d["quantization"][1])) for d in details)
        for side, details in sides.items()
    }
