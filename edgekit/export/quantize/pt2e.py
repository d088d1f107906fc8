"""Quantise for ExecuTorch: torchao's PT2E flow with XNNPACK's quantizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram
from torch.fx import GraphModule, Node

from edgekit.export.executorch import trace
from edgekit.export.parity import run_eager
from edgekit.export.quantize.constants import check_constants, read_constants
from edgekit.export.quantize.dynamic_layers import CONVS, PADS, is_dynamic_convolution, part_ranges
from edgekit.export.quantize.plan import QuantizationPlan, is_below
from edgekit.export.workload import aten_name, module_path_of
from edgekit.tasks import Frame, as_tensors
from runtime.bundle import IoScale
from runtime.errors import ExportError
from runtime.extras import require

_CLAMPS = ("relu", "relu_", "relu6", "relu6_", "hardtanh", "hardtanh_", "clamp")
_KEY = "quantization_annotation"
# torchao's own 2**-12 would coarsen every kernel whose largest weight is below 0.03.
_SMALLEST_STEP = 1e-9


def quantize_program(
    model: nn.Module, example: tuple[torch.Tensor, ...], plan: QuantizationPlan
) -> ExportedProgram:
    """Return the program of ``model`` with quantize and dequantize ops around what ``plan`` quantises.

    Raises:
        ExportError: it cannot be traced.
        ParityError: torchao changes a constant by more than its rounding.
        MissingExtra: executorch or torchao is not installed.
    """
    pt2e = require("torchao.quantization.pt2e.quantize_pt2e", extra="executorch")
    graph = trace(model, example).module()
    # As prepare_pt2e does, which changes weights: they are compared as they are afterwards.
    require("torchao.quantization.pt2e.utils", extra="executorch")._fuse_conv_bn_(graph)
    counter = _FrameCounter()
    exact = read_constants(graph)
    prepared = pt2e.prepare_pt2e(graph, _quantizer(plan, counter))
    with torch.no_grad():
        # A dynamic graph needs one frame too, or its observers do not exist.
        is_calibrated = plan.is_static and plan.calibration is not None
        frames = [as_tensors(f) for f in plan.calibration.frames] if is_calibrated else [example]
        for counter.frame, frame in enumerate(frames, start=1):
            prepared(*frame)
    converted = pt2e.convert_pt2e(prepared)
    check_constants(exact, read_constants(converted))
    program = trace(converted, example)
    part_ranges(program)
    return program


def run_program(program: ExportedProgram, frames: Sequence[Frame]) -> list[list[np.ndarray]]:
    """Return the outputs of a quantised ``program`` for each frame, in float, rounded as it says."""
    return run_eager(program.module(), frames)


@dataclass
class _FrameCounter:
    """Tells observers which calibration frame runs."""

    frame: int = 0


def _quantizer(plan: QuantizationPlan, counter: _FrameCounter) -> Any:
    base = require("executorch.backends.xnnpack.quantizer.xnnpack_quantizer", extra="executorch")
    composable = require("torchao.quantization.pt2e.quantizer", extra="executorch")
    heads = () if plan.int8_io or not plan.is_static else plan.heads

    def is_static(node: Node) -> bool:
        # Constants have no module: they go with the op that reads them.
        path = module_path_of(node)
        return node.op != "call_function" or not (plan.is_float(path) or is_below(path, heads))

    def is_dynamic(node: Node) -> bool:
        path = module_path_of(node)
        wanted = is_below(path, heads) if plan.is_static else not plan.is_float(path)
        return node.op != "call_function" or wanted

    kind = _chosen_ops_only(base.XNNPACKQuantizer, composable)
    static = kind().set_global(_config(counter)).set_filter_function(is_static)
    dynamic = kind().set_global(_config(None)).set_filter_function(is_dynamic)
    if not plan.is_static:
        return dynamic
    return composable.ComposableQuantizer([static, dynamic] if heads else [static])


def _chosen_ops_only(base: type, quantizer: Any) -> type:
    """Return XNNPACK's quantizer with three habits changed.

    A clamp such as ReLU6 belongs to the convolution before it. As it comes, the quantizer knows
    only ReLU, and gives the convolution's output a range whose larger part the clamp then cuts
    away: 3 to 6 dB on MobileNetV2. And an op that the filter leaves out stays out: as it comes, a
    pooling or reshaping after a quantised op is quantised all the same. With dynamic ranges a
    convolution before a ReLU is quantised as any other is.
    """

    class ChosenOpsOnly(base):  # type: ignore[misc]
        def annotate(self, model: GraphModule) -> GraphModule:
            before = {node for node in model.graph.nodes if _KEY in node.meta}
            removed: set[Node] = set()
            if not self.global_config.input_activation.is_dynamic:
                self._fuse_clamps(model)
                self._share_through_padding(model)
            super().annotate(model)
            if self.global_config.input_activation.is_dynamic:
                self._take_convolutions(model)
            for node in model.graph.nodes:
                if _KEY not in node.meta or node in before:
                    continue
                if not self.filter_fn(node) or not removed.isdisjoint(_shares(node)):
                    del node.meta[_KEY]
                    removed.add(node)
            return model

        def _fuse_clamps(self, model: GraphModule) -> None:
            config = self.global_config
            for clamp in model.graph.nodes:
                conv = next(iter(clamp.all_input_nodes), None)
                if conv is None or clamp.op != "call_function" or aten_name(clamp) not in _CLAMPS:
                    continue
                if conv.op != "call_function" or aten_name(conv) not in CONVS or len(conv.users) != 1:
                    continue
                if self.filter_fn(conv) and self.filter_fn(clamp):
                    ranges = {conv.args[0]: config.input_activation, conv.args[1]: config.weight}
                    note = quantizer.QuantizationAnnotation
                    conv.meta[_KEY] = note(input_qspec_map=ranges, _annotated=True)
                    clamp.meta[_KEY] = note(output_qspec=config.output_activation, _annotated=True)

        def _take_convolutions(self, model: GraphModule) -> None:
            """Take those too that a ReLU follows; as it comes, the quantizer knows that only if static."""
            for conv in model.graph.nodes:
                if _KEY not in conv.meta and is_dynamic_convolution(conv) and self.filter_fn(conv):
                    config, note = self.global_config, quantizer.QuantizationAnnotation
                    ranges = {conv.args[0]: config.input_activation, conv.args[1]: config.weight}
                    conv.meta[_KEY] = note(input_qspec_map=ranges, _annotated=True)

        def _share_through_padding(self, model: GraphModule) -> None:
            """Keep the range of what is padded: XNNPACK loads no float padding between int8 ops."""
            for pad in model.graph.nodes:
                if pad.op == "call_function" and aten_name(pad) in PADS and self.filter_fn(pad):
                    x = pad.args[0]
                    same = quantizer.SharedQuantizationSpec((x, pad))
                    note, ranges = quantizer.QuantizationAnnotation, {x: self.global_config.input_activation}
                    pad.meta[_KEY] = note(input_qspec_map=ranges, output_qspec=same, _annotated=True)

    return ChosenOpsOnly


def _shares(node: Node) -> list[Node]:
    """Return the nodes whose range ``node`` takes over."""
    note = node.meta[_KEY]
    specs = (*note.input_qspec_map.values(), note.output_qspec)
    given = [getattr(spec, "edge_or_node", None) for spec in specs]
    named = [end for one in given for end in (one if isinstance(one, tuple) else (one,))]
    return [end for end in named if isinstance(end, Node) and end is not node]


def _config(counter: _FrameCounter | None) -> Any:
    """Return int8 weights, symmetric per channel, and int8 activations; without ``counter`` dynamic ones."""
    observer = require("torchao.quantization.pt2e.observer", extra="executorch")
    quantizer = require("torchao.quantization.pt2e.quantizer", extra="executorch")
    spec = partial(quantizer.QuantizationSpec, dtype=torch.int8)
    if counter is None:
        make = observer.PlaceholderObserver.with_args(eps=_SMALLEST_STEP)
    else:
        make = _mean_extremes(observer.MinMaxObserver).with_args(counter=counter, eps=_SMALLEST_STEP)
    activation = spec(
        quant_min=-128,
        quant_max=127,
        qscheme=torch.per_tensor_affine,
        is_dynamic=counter is None,
        observer_or_fake_quant_ctr=make,
    )
    weight = spec(
        quant_min=-127,
        quant_max=127,
        qscheme=torch.per_channel_symmetric,
        ch_axis=0,
        observer_or_fake_quant_ctr=observer.PerChannelMinMaxObserver.with_args(eps=_SMALLEST_STEP),
    )
    output = None if counter is None else activation
    return quantizer.QuantizationConfig(activation, output, weight, None, False)


def _mean_extremes(base: type) -> Any:
    """Return an observer whose range is the mean over the frames of each frame's extremes.

    The extremes over all frames are those of one freak activation: 2 to 3 dB worse on MobileNetV2.
    Ops that share a range share their observer, which therefore sees several tensors per frame.
    """

    class MeanExtremes(base):  # type: ignore[misc]
        def __init__(self, counter: _FrameCounter, **settings: Any):
            super().__init__(**settings)
            self._counter, self._extremes = counter, {}

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            low, high = (float(end) for end in torch.aminmax(x.detach()))
            seen = self._extremes.get(self._counter.frame, (low, high))
            self._extremes[self._counter.frame] = (min(low, seen[0]), max(high, seen[1]))
            lows, highs = zip(*self._extremes.values(), strict=True)
            self.min_val.copy_(torch.tensor(sum(lows) / len(lows)))
            self.max_val.copy_(torch.tensor(sum(highs) / len(highs)))
            return x

    return MeanExtremes


def take_int8(program: ExportedProgram) -> dict[str, tuple[IoScale, ...]]:
    """Let ``program`` take and give int8, in place; return what its ``inputs`` and ``outputs`` mean.

    Raises:
        ExportError: an input or output is not quantised.
    """
    io = require("executorch.exir.passes.quantize_io_pass", extra="executorch")
    signature = program.graph_signature
    try:
        given = [io.quantize_input(program, i) for i in range(len(signature.user_inputs))]
        made = [io.quantize_output(program, i) for i in range(len(signature.user_outputs))]
    except ValueError as err:
        raise ExportError(f"the model cannot take and give int8 ({err}); leave --int8-io out") from err
    for spec, node in zip(signature.output_specs, program.graph.output_node().args[0], strict=True):
        spec.arg.name = node.name
    program.graph_module.recompile()
    return {
        side: tuple(IoScale(float(args[0]), int(args[1])) for args in found)
        for side, found in (("inputs", given), ("outputs", made))
    }
