"""Export a live model, a model's name, a checkpoint or a file of the user."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.api.bundle import Bundle
from runtime.extras import require

if TYPE_CHECKING:
    from torch import nn

    from edgekit.export import Origin, Preprocess, QuantizeOptions

PathLike = str | os.PathLike[str]
_EXTRAS = {"executorch": "executorch", "litert": "litert-export"}  # that export for each engine


def export(
    model: nn.Module | PathLike,
    example_inputs: Any = None,
    out: PathLike | None = None,
    *,
    engines: Sequence[str] = ("executorch", "litert"),
    precisions: Sequence[str] = ("fp32",),
    preprocess: Preprocess | None = None,
    calibration: Any = None,
    validation: PathLike | None = None,
    max_drop: float | str | None = None,
    keep_float: Sequence[str] = (),
    int8_io: bool = False,
    tolerance: float = 1e-4,
    allow_fallback: Collection[str] = (),
    overwrite: bool = False,
    progress: Callable[[str], None] = lambda line: None,
    **source: Any,
) -> Bundle:
    """Export a model to a bundle: a checked file per engine and precision, whole or not at all.

    The files are compared with the eager model, and every op must stay in the fast delegate. The
    model stays as it is: a copy in evaluation mode is exported.

    Args:
        model: a ``torch.nn.Module``; or, as ``edgekit export`` takes them, a model's name, a checkpoint's
            folder, ``path/to/file.py:function`` or a file with ``get_model()`` and ``get_args()``.
        example_inputs: what the module's ``forward`` takes, batch 1: a tensor or array, or several in
            order or by name; default: the module's ``example_inputs``.
        out: the bundle's folder; default: the model's name with ``.edgekit``.
        engines: ``executorch``, ``litert``, or both.
        precisions: ``fp32``, ``dynamic_wi8_afp32``, ``static_wi8_ai8``.
        preprocess: how photographs become the input, and the classes' names.
        calibration: real inputs that show the ranges: an array of shape (N, ...) as the file takes it,
            or the path of images or of a ``.npy`` file.
        validation: folder with labelled images, a sub-folder per class.
        max_drop: share of the score that may be lost: layers are kept float until it holds.
        keep_float: modules that stay float.
        int8_io: let static files take and give int8.
        tolerance: largest error against eager, relative to the largest output.
        allow_fallback: ops that may leave the delegate, by the names that the error gives.
        overwrite: replace a bundle that is there.
        progress: called with a line at each step; ``print`` shows them.
        source: ``inputs``: a picture or a folder of pictures to check on, instead of drawn ones. For a
            model by name also ``weights``, ``data_root`` and ``input_shapes``, as
            ``edgekit.export.find_origin`` takes them.

    Raises:
        TypeError, ValueError: an argument that is none of these; says what is allowed.
        ExportError, DelegationError, ParityError, AccuracyError: a check does not hold.
        BundleError: ``out`` cannot be written.
        MissingExtra: an exporter is not installed; says the line to run.

    Example:
        >>> import torch
        >>> net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU())
        >>> bundle = export(net, torch.zeros(1, 3, 32, 32), "mine.edgekit", engines=["litert"])
        >>> bundle.manifest.variant().delegation.partitions
        1
    """
    require("torch", extra=[extra for engine, extra in _EXTRAS.items() if engine in engines])
    from edgekit.export import export_bundle

    origin = _origin(model, example_inputs, out, preprocess, source)
    given = {
        "calibration": calibration,
        "validation": validation,
        "max_drop": max_drop,
        "keep_float": tuple(keep_float),
        "int8_io": int8_io,
    }
    made = export_bundle(
        origin,
        out or Path(f"{origin.name}.edgekit"),
        engines=engines,
        precisions=precisions,
        quantize=_quantize(origin, precisions, given, source.get("data_root")),
        tolerance=tolerance,
        allow_fallback=allow_fallback,
        overwrite=overwrite,
        progress=progress,
    )
    return Bundle(made.path, made.manifest)


def _origin(
    model: nn.Module | PathLike,
    example_inputs: Any,
    out: PathLike | None,
    preprocess: Preprocess | None,
    source: dict[str, Any],
) -> Origin:
    from edgekit.export import find_origin, live_model
    from edgekit.export.preprocess import on_pictures

    if isinstance(model, (str, os.PathLike)):
        if example_inputs is not None or preprocess is not None:
            raise TypeError(
                f"example_inputs and preprocess go with a torch.nn.Module; {os.fspath(model)} brings its "
                "own: leave them out"
            )
        return find_origin(os.fspath(model), **source)
    name = type(model).__name__ if out is None else Path(out).name.removesuffix(".edgekit")
    origin = live_model(model, example_inputs, name, preprocess)
    if others := [name for name in source if name != "inputs"]:
        raise TypeError(f"{', '.join(others)} is for a model by name; a torch.nn.Module brings all it needs")
    return on_pictures(origin, Path(source["inputs"])) if source.get("inputs") else origin


def _quantize(
    origin: Origin, precisions: Sequence[str], given: dict[str, Any], data_root: PathLike | None
) -> QuantizeOptions | None:
    """Return how to quantise, ``None`` when nothing is quantised."""
    from edgekit.export.quantize import QuantizeOptions, find_calibration, find_validation, read_share

    if all(precision == "fp32" for precision in precisions):
        nothing = (None, False, ())
        if named := [name for name, value in given.items() if not any(value is one for one in nothing)]:
            raise ValueError(
                f"{', '.join(named)} is for quantisation, and the precision is fp32; add static_wi8_ai8 or "
                "dynamic_wi8_afp32 to the precisions"
            )
        return None
    return QuantizeOptions(
        calibration=find_calibration(origin, given["calibration"], data_root),
        validation=find_validation(origin, given["validation"], data_root),
        max_drop=read_share(given["max_drop"]),
        keep_float=given["keep_float"],
        int8_io=given["int8_io"],
    )
