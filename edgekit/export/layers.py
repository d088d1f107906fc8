"""Find the first layer at which an exported file departs from the eager model.

A LiteRT file is run without its delegate, with every tensor kept: its own layers are compared. A
``.pte`` file keeps its layers inside the delegate, so the model is exported once more with the
output of every module as an output of the graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from edgekit.export.backend import Exported
from edgekit.export.litert_layers import Layer, read_layers
from edgekit.export.parity import difference, run_file
from edgekit.export.taps import Tap, TappedModel
from edgekit.tasks import Frame, SourceGraph, as_tensors
from runtime.bundle import Quantization

# Rounding leaves 100 dB and more of a float layer; a wrong weight or op less than 50.
_FLOAT_SQNR_DB = 60.0
# Layers of 8 bits have 20 to 45 dB, and pass on what came in: only a sudden loss points to a layer.
_DROP_DB = 10.0


@dataclass(frozen=True)
class LayerParity:
    """How far what a module gave is from what the eager module gives.

    Attributes:
        module_path: of the module; ``#2`` is its second call.
        shape: of its output.
        max_abs, sqnr_db, cosine: see ``OutputParity``; ``-inf`` dB and ``inf`` where the file gives
            values that are not finite.
        seen_at: the module whose output was compared, where the engine has fused both; else the same.
    """

    module_path: str
    shape: tuple[int, ...]
    max_abs: float
    sqnr_db: float | None
    cosine: float | None
    seen_at: str


@dataclass(frozen=True)
class LayerReport:
    """The layers of one variant, in the order in which they run.

    Attributes:
        variant: its name.
        layers: those that can be distinguished in the file; the last rows are the outputs.
        first_wrong: path of the first layer that goes wrong, or ``None``.
        threshold: what counts as wrong, in words.
        remark: what else to know, or ``None``.
        is_behind_ops: what the first wrong layer reads was computed between modules: an op there may
            be the one that is wrong.
    """

    variant: str
    layers: tuple[LayerParity, ...]
    first_wrong: str | None
    threshold: str
    remark: str | None = None
    is_behind_ops: bool = False


def compare_layers(
    variant: str,
    engine: str,
    path: Path,
    lowered: nn.Module,
    source: SourceGraph,
    *,
    export: Callable[[nn.Module, tuple[torch.Tensor, ...]], Exported],
    is_quantised: bool = False,
    io: Quantization | None = None,
    n_frames: int = 2,
) -> LayerReport:
    """Compare, module by module, the file at ``path`` with ``lowered``, which it was made from.

    Args:
        variant: name, for the report.
        engine: ``executorch`` or ``litert``.
        path: the exported file.
        lowered: the eager model in export form.
        source: the graph; its first ``n_frames`` frames are run.
        export: exports a model as the file was; needed where layers cannot be read from the file.
        is_quantised: the file rounds weights or activations to 8 bits.
        io: what int8 inputs and outputs of the file mean, if it has such.
        n_frames: more of them make the figures steadier.

    Raises:
        ExportError: the model cannot be exported again.
    """
    frames = source.frames[:n_frames]
    tapped = TappedModel(lowered)
    expected = tapped.run(frames)
    makers, n = tapped.makers, len(tapped.makers)
    scales = (io.inputs, io.outputs) if io else ((), ())
    outputs = _rows(makers, run_file(engine, path, frames, *scales), expected)
    remark = None
    if engine == "litert":
        wanted = {tap: _stack(expected, n + i) for i, tap in enumerate(tapped.taps)}
        rows = [*_match(wanted, tapped.calls, read_layers(path.read_bytes(), lowered, frames)), *outputs]
        wrong = first_wrong(rows, n, is_quantised)
    else:
        fresh = _rows([*makers, *tapped.taps], _run_fresh(engine, tapped, frames, export), expected)
        rows = [*fresh[n:], *outputs]
        wrong = first_wrong([*fresh[n:], *fresh[:n]], n, is_quantised)
        if wrong is None and first_wrong(outputs, n, is_quantised):
            remark = "the model exports rightly now: the file was changed, or made from other weights"
    behind = {str(tap) for tap in tapped.behind_ops}
    seen_at = {row.module_path: row.seen_at for row in rows}
    is_behind = wrong is not None and bool(behind & {wrong, seen_at.get(wrong, wrong)})
    return LayerReport(variant, tuple(rows), wrong, _threshold(is_quantised), remark, is_behind)


def first_wrong(rows: Sequence[LayerParity], n_outputs: int, is_quantised: bool) -> str | None:
    """Return the path of the first layer that goes wrong; the last ``n_outputs`` rows are the outputs.

    A float file is not searched when its outputs are right: an op between two modules may be named
    after the wrong one.
    """
    if not is_quantised:
        if all(_db(row) >= _FLOAT_SQNR_DB for row in rows[len(rows) - n_outputs :]):
            return None
        return next((row.module_path for row in rows if _db(row) < _FLOAT_SQNR_DB), None)
    before = math.inf
    for row in rows:
        if math.isfinite(before) and _db(row) < before - _DROP_DB:
            return row.module_path
        before = min(before, _db(row))
    return None


def _threshold(is_quantised: bool) -> str:
    return f"{_DROP_DB:g} dB below every layer before" if is_quantised else f"below {_FLOAT_SQNR_DB:g} dB"


def _match(
    wanted: dict[Tap, np.ndarray], calls: Mapping[str, int], found: Sequence[Layer]
) -> list[LayerParity]:
    """Return a row per module call that some tensor of the file stands for, matched by name and order.

    Of the ops that are named after a module, its output is the last of each call.
    """
    rows = []
    for tap, expected in wanted.items():
        fitting = [layer for layer in found if layer.fit(expected.shape)]
        own = [layer for layer in fitting if layer.seen_at == tap.module_path]
        if not own:  # a layer whose op ends with an activation that is no module
            own = [layer for layer in fitting if layer.module_path == tap.module_path and layer.clamp]
            if not own or own[-1].seen_at in calls:  # that has a row of its own
                continue
        count = calls[tap.module_path]
        if len(own) % count:
            continue  # nobody knows which is of which call
        own = own[tap.call * len(own) // count : (tap.call + 1) * len(own) // count]
        layer = own[-1]
        clamped = np.clip(expected, *layer.clamp) if layer.clamp else expected
        # A map that is as high and wide as it has channels fits in two ways.
        row = max((_row(str(tap), way, clamped) for way in layer.fit(expected.shape)), key=_db)
        name = next((one.module_path for one in own if one.module_path != one.seen_at), str(tap))
        rows.append(LayerParity(name, row.shape, row.max_abs, row.sqnr_db, row.cosine, str(tap)))
    return rows


def _run_fresh(
    engine: str,
    tapped: TappedModel,
    frames: Sequence[Frame],
    export: Callable[[nn.Module, tuple[torch.Tensor, ...]], Exported],
) -> list[list[np.ndarray]]:
    """Return what a new export gives for each frame: the outputs, then one array per tap."""
    exported = export(tapped.model, as_tensors(frames[0]))
    with exported.as_file() as path:
        return run_file(engine, path, frames)


def _rows(
    taps: Sequence[Tap | None],
    actual: Sequence[Sequence[np.ndarray]],
    expected: Sequence[Sequence[np.ndarray]],
) -> list[LayerParity]:
    """Return a row for each of the first values of both sides; one without a tap is an output."""
    return [
        _row(f"output {i}" if tap is None else str(tap), _stack(actual, i), _stack(expected, i))
        for i, tap in enumerate(taps)
    ]


def _stack(frames: Sequence[Sequence[np.ndarray]], i: int) -> np.ndarray:
    """Return value ``i`` of all frames."""
    return np.stack([frame[i] for frame in frames])


def _row(name: str, actual: np.ndarray, expected: np.ndarray) -> LayerParity:
    max_abs, sqnr_db, cosine = difference(actual, expected)
    if sqnr_db is None and max_abs > 0:
        sqnr_db = -math.inf  # nothing was expected
    return LayerParity(name, expected.shape[1:], max_abs, sqnr_db, cosine, name)


def _db(row: LayerParity) -> float:
    return math.inf if row.sqnr_db is None else row.sqnr_db
