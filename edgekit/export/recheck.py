"""Compare the files of a bundle with the eager model again, whenever one wants to, and layer by layer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from edgekit.export import executorch, litert  # noqa: F401  (they register themselves)
from edgekit.export.backend import EXPORT_BACKENDS, Exported
from edgekit.export.graph import Origin
from edgekit.export.layers import LayerReport, compare_layers
from edgekit.export.parity import DEFAULT_TOLERANCE, check_parity, run_file
from edgekit.export.preflight import Prepared, prepare
from edgekit.export.quantize import QUANTIZERS, QuantizeOptions
from edgekit.export.quantize.run import make_plan
from runtime.bundle import Bundle, Parity, Quantization, Variant
from runtime.errors import EdgekitError, ParityError


@dataclass(frozen=True)
class Recheck:
    """One variant, compared again.

    Attributes:
        variant: its name.
        parity: its outputs; ``None`` where they cannot be compared.
        problem: what is wrong with the outputs, or ``None``.
        layers: module by module, when asked for.
        layers_problem: why they cannot be compared, or ``None``.
    """

    variant: str
    parity: Parity | None
    problem: str | None
    layers: LayerReport | None = None
    layers_problem: str | None = None


def recheck_bundle(
    bundle: Bundle,
    origin: Origin,
    *,
    variants: Sequence[str] = (),
    tolerance: float = DEFAULT_TOLERANCE,
    by_layer: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> list[Recheck]:
    """Run the files of ``bundle`` on the frames of ``origin`` and compare them with its model.

    Args:
        bundle: whose files are checked.
        origin: the model that the bundle was made from.
        variants: names; none: all.
        tolerance: of float variants, see ``compare_outputs``; quantised ones have no limit here.
        by_layer: compare the outputs of every module too.
        progress: called with each step.

    Raises:
        ValueError: unknown variant, or ``origin`` has no graph of its name.
        ExportError: the model cannot be run or traced.

    Example:
        >>> recheck_bundle(Bundle.open("mbv2.edgekit"), find_origin("mobilenet_v2"))   # doctest: +SKIP
    """
    chosen = [bundle.manifest.variant(name) for name in variants] or list(bundle.manifest.variants)
    ready: dict[str, Prepared] = {}
    results = []
    for variant in chosen:
        if variant.graph not in origin.graphs:
            known = ", ".join(origin.graphs)
            raise ValueError(
                f"{variant.name} is of graph {variant.graph!r}, but {origin.name} has only: {known}; "
                "give the model that the bundle was made from"
            )
        if variant.graph not in ready:
            ready[variant.graph] = prepare(origin.graphs[variant.graph], name=variant.graph)
        progress(f"{variant.name}: comparing with eager on {ready[variant.graph].source.described}")
        results.append(_recheck(bundle, variant, ready[variant.graph], tolerance, by_layer))
    return results


def _recheck(bundle: Bundle, variant: Variant, ready: Prepared, tolerance: float, by_layer: bool) -> Recheck:
    path = bundle.file(variant.path)
    parity, problem = None, None
    io = variant.quantization or Quantization()
    try:
        actual = run_file(variant.engine, path, ready.source.frames, io.inputs, io.outputs)
        parity = ready.compare(f"{path.name} on {variant.engine}", actual, tolerance)
        if not _is_quantised(variant):
            check_parity(variant.name, parity)
    except ParityError as err:
        problem = str(err)
    if not by_layer:
        return Recheck(variant.name, parity, problem)
    try:
        layers = compare_layers(
            variant.name,
            variant.engine,
            path,
            ready.lowered,
            ready.source,
            export=_exporter(variant, ready),
            is_quantised=_is_quantised(variant),
            io=variant.quantization,
        )
    except EdgekitError as err:  # the other variants have theirs
        return Recheck(variant.name, parity, problem, layers_problem=str(err))
    return Recheck(variant.name, parity, problem, layers)


def _exporter(variant: Variant, ready: Prepared) -> Callable[[nn.Module, tuple[torch.Tensor, ...]], Exported]:
    """Return what exports a model again as ``variant`` was, for engines whose files hide their layers.

    The bundle does not hold the calibration frames: ranges are those of the frames compared.
    """
    if not _is_quantised(variant):
        return EXPORT_BACKENDS.get(variant.engine)

    def export(model: nn.Module, example: tuple[torch.Tensor, ...]) -> Exported:
        plan = make_plan(variant.precision, ready, QuantizeOptions())
        if variant.quantization is not None:
            plan = replace(plan, kept_float=variant.quantization.kept_float, heads=variant.quantization.heads)
        fp32 = functools.partial(EXPORT_BACKENDS.get(variant.engine), model, example)
        return QUANTIZERS.get(variant.engine)(replace(ready, lowered=model), plan, fp32).exported

    return export


def _is_quantised(variant: Variant) -> bool:
    return variant.precision != "fp32"
