"""Checks before the slow export, so that what cannot work is reported at once, all of it, with its module."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram

from edgekit.export._quiet import exporting
from edgekit.export.executorch import first_line, trace
from edgekit.export.findings import Finding, at_error, refusal
from edgekit.export.lower import EXPORT_FORMS, lower
from edgekit.export.lowerings import unlowered_ops
from edgekit.export.observed import observe
from edgekit.export.outputs import give_tensors, named_outputs
from edgekit.export.parity import DEFAULT_TOLERANCE, compare_outputs, run_eager
from edgekit.export.traced import BRANCHES, check_program
from edgekit.export.weights import check_weights
from edgekit.tasks import Frame, SourceGraph, as_tensors
from runtime.bundle import Parity, TensorSpec
from runtime.errors import ExportError

_STATE = "take the state as an input and return it as an output"


@dataclass(frozen=True)
class Prepared:
    """A graph that passed the checks, ready for every backend.

    Attributes:
        source: as it came.
        lowered: its model in export form.
        example: the first frame.
        program: what torch.export made of ``lowered`` and ``example``.
        outputs: name, type and shape of each output.
        expected: the eager outputs of each frame.
    """

    source: SourceGraph
    lowered: nn.Module
    example: tuple[torch.Tensor, ...]
    program: ExportedProgram
    outputs: tuple[TensorSpec, ...]
    expected: list[list[np.ndarray]]

    def compare(
        self, what: str, actual: Sequence[Sequence[np.ndarray]], tolerance: float = DEFAULT_TOLERANCE
    ) -> Parity:
        """Return how far ``actual``, the outputs of ``what``, are from eager's; see ``compare_outputs``."""
        names = [output.name for output in self.outputs]
        described = self.source.described
        return compare_outputs(what, actual, self.expected, names, tolerance=tolerance, described=described)


def prepare(
    source: SourceGraph,
    engines: Collection[str] = (),
    *,
    name: str = "",
    on_message: Callable[[str], None] = lambda line: None,
) -> Prepared:
    """Check, lower and trace a graph; its model is put into evaluation mode.

    Args:
        source: the graph.
        engines: that it will be exported for: their missing lowerings are found too.
        name: of the graph, for errors.
        on_message: called with what to know of a graph that passes.

    Raises:
        ExportError: tells everything found: weights that are not finite or not float32, random
            numbers, values or shapes that depend on data, ops without a lowering, outputs that are no
            tensors or not finite, ...
    """
    model, example = source.model.eval(), source.example()
    if modules := _check_modules(model):
        raise refusal(modules, name)
    findings = check_weights(model)
    outputs = _outputs(model, example, findings)
    if outputs is None:
        raise refusal(findings + observe(model, example), name)
    if batch := _check_batch(model, example, outputs, on_message):
        raise refusal(findings + batch, name)  # lowered, it could not run

    with exporting():
        lowered = lower(model)
        give_tensors(lowered, example)
    program = _trace(lowered, example, findings)
    if program is None:
        findings += [found for found in observe(model, example) if not _is_told(found, findings)]
    else:
        findings += check_program(program)
        findings += [found for engine in engines for found in unlowered_ops(program, engine)]
    expected = run_eager(model, source.frames) if not findings else []
    findings = findings or _check_values(source, expected)
    if program is None or findings:
        raise refusal(findings, name)

    names = source.output_names or [name for name, _ in outputs]
    specs = [
        TensorSpec(name, str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape))
        for name, (_, tensor) in zip(names, outputs, strict=True)
    ]
    return Prepared(source, lowered, example, program, tuple(specs), expected)


def _is_told(found: Finding, findings: Sequence[Finding]) -> bool:
    return any(found.source == other.source and found.reason == other.reason for other in findings)


def _check_modules(model: nn.Module) -> list[Finding]:
    if isinstance(model, torch.jit.ScriptModule):
        return [Finding("the model is TorchScript, which cannot be traced again; give its Python module")]
    return [
        Finding("stays in training mode after eval(); let its train(mode) pass the mode on", path)
        for path, module in model.named_modules()
        if module.training
    ]


def _outputs(
    model: nn.Module, example: tuple[torch.Tensor, ...], findings: list[Finding]
) -> list[tuple[str, torch.Tensor]] | None:
    before = _versions(model)
    try:
        outputs = named_outputs(model, example)
    except ExportError as err:
        findings.append(at_error(err.__cause__, model, str(err)) if err.__cause__ else Finding(str(err)))
        return None
    after = _versions(model)
    findings += [
        Finding(f"forward changes the buffer {name}, but a file keeps nothing between frames; {_STATE}")
        for name in after
        if after[name] != before.get(name)
    ]
    return outputs


def _versions(model: nn.Module) -> dict[str, tuple[int, int]]:
    return {name: (id(buffer), buffer._version) for name, buffer in model.named_buffers()}


def _check_batch(
    model: nn.Module,
    example: tuple[torch.Tensor, ...],
    outputs: Sequence[tuple[str, torch.Tensor]],
    on_message: Callable[[str], None],
) -> list[Finding]:
    """Tell of what looks like a batch; export forms are for batch 1 only, so with them it is a finding."""
    batch = _batch_of(model, example, outputs)
    if batch == 1:
        return []
    forms = [path for path, module in model.named_modules() if type(module) in EXPORT_FORMS]
    if forms:
        return [
            Finding(
                f"the example has a batch of {batch}; dynamic blocks such as {forms[0]} run one frame at a "
                "time: give an example of batch 1, x[:1]"
            )
        ]
    on_message(
        f"note: the first axis of the example, {batch}, looks like a batch, and the file takes exactly "
        "this many; a phone runs one frame at a time: if it is a batch, give x[:1]"
    )
    return []


def _batch_of(
    model: nn.Module, example: tuple[torch.Tensor, ...], outputs: Sequence[tuple[str, torch.Tensor]]
) -> int:
    """Return the batch, above 1 when the first frame of the inputs alone gives that of the outputs."""
    batch = max(tensor.shape[0] if tensor.dim() > 1 else 1 for tensor in example)
    if batch == 1:
        return 1
    single = tuple(
        tensor[:1].contiguous() if tensor.dim() > 1 and tensor.shape[0] == batch else tensor
        for tensor in example
    )
    try:
        alone = named_outputs(model, single)
    except ExportError:
        return 1  # the first dimension is something else
    whole = [tensor[:1] for _, tensor in outputs if tensor.dim() and tensor.shape[0] == batch]
    if not whole or [t.shape for t in whole] != [t.shape for _, t in alone]:
        return 1
    pairs = zip(whole, (tensor for _, tensor in alone), strict=True)
    is_same = all(torch.allclose(a.float(), b.float(), 1e-3, 1e-4, equal_nan=True) for a, b in pairs)
    return batch if is_same else 1


def _trace(
    lowered: nn.Module, example: tuple[torch.Tensor, ...], findings: list[Finding]
) -> ExportedProgram | None:
    try:
        with exporting():
            return trace(lowered, example)
    except ExportError as err:
        cause = err.__cause__ or err
        text = str(cause)
        if "data-dependent" in text or "Dynamic control flow" in text:
            reason = BRANCHES
        else:
            reason = f"torch.export cannot trace it: {first_line(cause)}"
        findings.append(at_error(cause, lowered, reason))
        return None


def _check_values(source: SourceGraph, expected: Sequence[Sequence[np.ndarray]]) -> list[Finding]:
    """Find values that are not finite, and outputs that change when the same is asked again."""
    for i, outputs in enumerate(expected):
        # -inf is meant: it masks classes that cannot be.
        if not all((np.isfinite(output) | np.isneginf(output)).all() for output in outputs):
            return [
                Finding(
                    f"the model gives nan or inf on frame {i} of {source.described}; export an earlier "
                    "checkpoint, or give inputs of its range"
                )
            ]
    again = _seeded(source.model, source.frames[0])
    if all(map(np.array_equal, again, expected[0])):
        return []
    if all(map(np.array_equal, again, _seeded(source.model, source.frames[0]))):
        reason = "draws random numbers; make dropout and noise depend on self.training"
    else:
        reason = f"keeps something between calls; {_STATE}"
    return [Finding(f"the model gives other outputs for the same input: it {reason}")]


def _seeded(model: nn.Module, frame: Frame) -> list[np.ndarray]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return [tensor.numpy() for _, tensor in named_outputs(model, as_tensors(frame))]
