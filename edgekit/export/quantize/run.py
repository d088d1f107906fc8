"""Quantise one graph for one engine, and keep layers float until its score holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edgekit.export._quiet import exporting
from edgekit.export.backend import Exported
from edgekit.export.executorch import export_executorch, first_line
from edgekit.export.litert import describe, module_names
from edgekit.export.parity import check_parity, compare_outputs, run_eager
from edgekit.export.quantize.calibration import Calibration
from edgekit.export.quantize.flat_conv import flatten_float_convolutions
from edgekit.export.quantize.options import QuantizeOptions
from edgekit.export.quantize.plan import QuantizationPlan, find_heads, float_modules, modules_beside
from edgekit.export.quantize.pt2e import quantize_program, run_program, take_int8
from edgekit.export.quantize.reference import FakeQuantised, run_plainly
from edgekit.export.quantize.rounding import round_weights
from edgekit.export.quantize.sensitivity import rank_layers
from edgekit.export.quantize.simulate import expected_sqnr_db
from edgekit.export.quantize.tflite import Place, quantize_tflite, read_scales
from runtime.bundle import Quantization
from runtime.bundle.metric_words import word_for
from runtime.errors import AccuracyError, EdgekitError, ExportError, ParityError
from runtime.registry import Registry

if TYPE_CHECKING:
    from edgekit.export.preflight import Prepared


@dataclass(frozen=True)
class Quantized:
    """One quantised file, and what it should give.

    Attributes:
        exported: the file.
        fake: outputs of the program that rounds as the file does, for each frame of the graph;
            ``None`` with dynamic ranges, which engines take of other parts of a tensor.
    """

    exported: Exported
    fake: list[list[np.ndarray]] | None = None


class Quantizer(Protocol):
    """Quantises ``ready`` as ``plan`` says; ``float_file`` gives the engine's float file, made once.

    Raises:
        ParityError: the tools lose or mix up weights.
    """

    def __call__(
        self, ready: Prepared, plan: QuantizationPlan, float_file: Callable[[], Exported]
    ) -> Quantized: ...


_EXACT_FRAMES = 2  # float files differ everywhere or nowhere

QUANTIZERS: Registry[Quantizer] = Registry("quantizer")


@QUANTIZERS.register("executorch")
def quantize_executorch(
    ready: Prepared, plan: QuantizationPlan, float_file: Callable[[], Exported]
) -> Quantized:
    """Return a ``.pte`` file; see ``Quantizer``."""
    frames = ready.source.frames
    with exporting():
        model = ready.lowered
        if plan.is_static:
            model, plan = flatten_float_convolutions(model, plan)
        model = round_weights(model, plan)
        program = quantize_program(model, ready.example, plan)
        fake = run_program(program, frames) if plan.is_static else None
        io = take_int8(program) if plan.int8_io else {}
    return Quantized(replace(export_executorch(model, ready.example, program), **io), fake)


@QUANTIZERS.register("litert")
def quantize_litert(ready: Prepared, plan: QuantizationPlan, float_file: Callable[[], Exported]) -> Quantized:
    """Return a ``.tflite`` file; see ``Quantizer``."""
    source, frames = float_file(), ready.source.frames
    with exporting():
        name_of = module_names(ready.lowered)
        model = round_weights(ready.lowered, plan)
        data, rounded = quantize_tflite(source.data, ready.lowered, model, plan, name_of)
        exported = describe(data, name_of)
        # XNNPACK has kernels for some ops in float only, and refuses integers of all too unlike
        # scales; those then stay float, where it refuses them.
        float_ops = _places(exported, ready) - _places(source, ready)
        if float_ops:
            data, rounded = quantize_tflite(source.data, ready.lowered, model, plan, name_of, float_ops)
            exported = describe(data, name_of)
        some = frames[:_EXACT_FRAMES]
        _check_exact(ready, plan, run_plainly(rounded, some), run_eager(model, some))
        fake = FakeQuantised(rounded, data)
        if fake.wrong:
            module = name_of(fake.wrong[0], True) or fake.wrong[0]
            raise ParityError(
                f"litert-{plan.precision}: ai-edge-quantizer wrote other constants than the rounded ones in "
                f"{len(fake.wrong)} places, the first in {module}; keep that module float with --keep-float"
            )
        io = read_scales(data) if plan.int8_io else {}
    exported = replace(exported, packages=(*source.packages, "ai-edge-quantizer"), **io)
    return Quantized(exported, run_plainly(fake.data, frames) if plan.is_static else None)


def _places(exported: Exported, ready: Prepared) -> set[Place]:
    """Return which ops fall off the delegate, and where; everywhere where no module of theirs is known."""
    known = {path for path, _ in ready.lowered.named_modules()}
    return {
        (op.op, op.module_path if op.module_path in known else None) for op in exported.delegation.fallback
    }


def _check_exact(
    ready: Prepared,
    plan: QuantizationPlan,
    found: list[list[np.ndarray]],
    wanted: list[list[np.ndarray]],
) -> None:
    """Check that the weights were put where they belong: before activations are rounded it is exact."""
    what = f"litert-{plan.precision} with float activations"
    names = [output.name for output in ready.outputs]
    check_parity(what, compare_outputs(what, found, wanted, names, described=ready.source.described))


def quantize_graph(
    engine: str,
    precision: str,
    ready: Prepared,
    options: QuantizeOptions,
    float_file: Callable[[], Exported],
    progress: Callable[[str], None] = lambda line: None,
) -> tuple[Quantized, Quantization, list[float | None]]:
    """Return a graph's quantised file, how it was quantised, and each output's simulated SQNR in dB.

    With ``options.max_drop`` layers are kept float, those with the largest error first and twice as
    many each time, until the score holds.

    Raises:
        AccuracyError: it does not hold even then.
        DataError: the calibration frames do not fit the graph.
        ExportError: the tools cannot quantise it.
        ValueError: ``options.keep_float`` names a module that is not there.
    """
    plan = make_plan(precision, ready, options)
    quantize, validation = QUANTIZERS.get(engine), options.validation
    made = _attempt(quantize, ready, plan, float_file)
    if validation is None:
        return made, _record(plan, made.exported), _simulate(ready, plan)
    before = validation.score_of_model(ready.source.model)
    after = validation.score_of_file(engine, made.exported)
    score = word_for(validation.task.metric)
    progress(f"{engine}-{precision}: {score} {after:.2%}, fp32 {before:.2%} on {validation.described}")
    if options.max_drop is not None and before - after > options.max_drop:
        ranked = rank_layers(ready.lowered, ready.program, _calibrated(plan, ready))
        for count in _growing(len(ranked)):
            float_too = [path for error in ranked[:count] for path in error.remedy]
            plan = replace(plan, kept_float=tuple(dict.fromkeys((*plan.kept_float, *float_too))))
            progress(f"{engine}-{precision}: keeping the {count} worst layers float, {ranked[0].path} first")
            made = _attempt(quantize, ready, plan, float_file)
            after = validation.score_of_file(engine, made.exported)
            progress(f"{engine}-{precision}: {score} {after:.2%}, fp32 {before:.2%}")
            if before - after <= options.max_drop:
                break
        else:
            raise AccuracyError(
                f"{engine}-{precision} loses {before - after:.2%} of {score} ({before:.2%} -> {after:.2%} "
                f"on {validation.described}) even with all layers float, allowed is {options.max_drop:.2%}; "
                f"the worst are {', '.join(error.path for error in ranked[:3])}: check the calibration "
                "images, or raise --max-drop"
            )
    record = replace(
        _record(plan, made.exported),
        accuracy_fp32=before,
        accuracy=after,
        metric=validation.task.metric,
        n_validation=len(validation.frames),
    )
    return made, record, _simulate(ready, plan)


def _growing(total: int) -> Iterator[int]:
    """Yield 1, 2, 4, ... and at last ``total``: each attempt costs an export."""
    count = 1
    while count < total:
        yield count
        count *= 2
    if total:
        yield total


def make_plan(precision: str, ready: Prepared, options: QuantizeOptions) -> QuantizationPlan:
    """Return what is quantised and what stays float; raises as ``quantize_graph``."""
    kept = float_modules(ready.lowered, options.keep_float)
    heads = tuple(head for head in find_heads(ready.program) if head in dict(ready.lowered.named_modules()))
    plan = QuantizationPlan(precision, None, kept, heads, options.int8_io)
    if not plan.is_static:  # only to keep the means of outputs
        given = options.calibration
        return plan if given is None else replace(plan, calibration=given.check(ready.source.inputs))
    beside = () if options.int8_io else modules_beside(ready.program, heads)
    plan = replace(plan, kept_float=tuple(dict.fromkeys((*kept, *beside))))
    return replace(plan, calibration=_frames(ready, options.calibration))


def _simulate(ready: Prepared, plan: QuantizationPlan) -> list[float | None]:
    if plan.is_static:  # engines round products and sums too, which the simulation does not
        return []
    return expected_sqnr_db(ready.lowered, plan, ready.source.frames, ready.expected)


def _frames(ready: Prepared, given: Calibration | None) -> Calibration:
    own = Calibration(ready.source.frames, ready.source.described) if given is None else given
    return own.check(ready.source.inputs)


def _calibrated(plan: QuantizationPlan, ready: Prepared) -> QuantizationPlan:
    return plan if plan.calibration else replace(plan, calibration=_frames(ready, None))


def _attempt(
    quantize: Quantizer, ready: Prepared, plan: QuantizationPlan, float_file: Callable[[], Exported]
) -> Quantized:
    try:
        return quantize(ready, plan, float_file)
    except EdgekitError:
        raise
    except Exception as err:
        raise ExportError(
            f"the model could not be quantised to {plan.precision}: {first_line(err)}; keep the module that "
            "it stumbles over in float with --keep-float"
        ) from err


def _record(plan: QuantizationPlan, exported: Exported) -> Quantization:
    layers = [op for op in exported.workload.ops if op.has_int8_weights is not None]
    macs = sum(op.macs for op in layers)
    return Quantization(
        kept_float=plan.kept_float,
        heads=plan.heads if plan.is_static and not plan.int8_io else (),
        calibration=plan.calibration.described if plan.calibration else None,
        n_calibration=len(plan.calibration.frames) if plan.calibration else 0,
        inputs=exported.inputs,
        outputs=exported.outputs,
        int8_share=sum(op.macs for op in layers if op.has_int8_weights) / max(macs, 1),
        float_layers=tuple(dict.fromkeys(op.name for op in layers if not op.has_int8_weights)),
    )
