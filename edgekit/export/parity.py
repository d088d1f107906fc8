"""Compare the exported file with the eager model on real inputs, output by output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from edgekit.export.channels import describe_channels, unlike_groups
from edgekit.export.outputs import run_model
from edgekit.tasks import Frame, as_tensors
from runtime.bundle import ChannelParity, IoScale, OutputParity, Parity
from runtime.engines import EngineProcess
from runtime.errors import ParityError
from runtime.processing.int8_io import to_float, to_int8

# Of the largest magnitude of the eager outputs: logits of 20 may differ by 0.002. Float32 sums in
# another order differ by about 1e-6 of it; a wrong op differs by more than 1e-2.
DEFAULT_TOLERANCE = 1e-4
# Beside larger channels: 1e-6 of these is what float32 sums may lose.
_SMALLEST_PART = 1e-2
# Of labels, integers and booleans: two scores that are nearly equal may change places.
_LEAST_EQUAL = 0.999


def compare_outputs(
    what: str,
    actual: Sequence[Sequence[np.ndarray]],
    expected: Sequence[Sequence[np.ndarray]],
    names: Sequence[str],
    *,
    tolerance: float = DEFAULT_TOLERANCE,
    described: str = "",
) -> Parity:
    """Compare outputs, frame by frame, with those expected.

    Args:
        what: gave ``actual``, for errors.
        actual: outputs for each frame, see ``run_file``.
        expected: the eager model's outputs for each frame, see ``run_eager``.
        names: of the outputs.
        tolerance: allowed difference, relative to the largest eager output or to 1, whichever is
            larger. The result's ``tolerance`` is the absolute limit that follows.
        described: what the frames are, for the manifest.

    Raises:
        ParityError: ``what`` gives another number of outputs, another shape, or values that are not finite.
    """
    if len(actual[0]) != len(names):
        raise ParityError(
            f"{what} gives {len(actual[0])} outputs, the eager model {len(names)}; export it again"
        )
    compared = [
        compare(
            what,
            name,
            np.stack([frame[i] for frame in actual]),
            np.stack([frame[i] for frame in expected]),
            tolerance=tolerance,
        )
        for i, name in enumerate(names)
    ]
    return summarise(compared, n_inputs=len(actual), described=described)


def run_eager(model: nn.Module, frames: Sequence[Frame]) -> list[list[np.ndarray]]:
    """Return the outputs of the eager ``model`` for each frame."""
    return [[output.numpy() for output in run_model(model, as_tensors(frame))] for frame in frames]


def run_file(
    engine: str,
    path: Path,
    frames: Sequence[Frame],
    inputs: Sequence[IoScale] = (),
    outputs: Sequence[IoScale] = (),
) -> list[list[np.ndarray]]:
    """Return the outputs of the file at ``path`` for each frame, in the order of the file.

    Args:
        frames: float, also for a file that takes and gives int8.
        inputs, outputs: what such a file's int8 values mean.
    """
    with EngineProcess(engine, path) as model:
        # LiteRT files take 32-bit integers where the model takes 64.
        dtypes = [spec.dtype for spec in model.inputs]
        found = []
        for frame in frames:
            given = zip(to_int8(frame, inputs), dtypes, strict=True)
            result = model.run([array.astype(dtype) for array, dtype in given]).outputs or []
            found.append(to_float(result, outputs))
        return found


def compare(
    what: str, name: str, actual: np.ndarray, expected: np.ndarray, *, tolerance: float
) -> OutputParity:
    """Return the difference between two batches of one output, shape (N, ...); see ``compare_outputs``.

    Args:
        what: the file, for errors.
        name: of the output.
        actual, expected: of the file and of the eager model.
        tolerance: relative, see ``compare_outputs``.
    """
    if actual.shape != expected.shape:
        raise ParityError(
            f"{what} gives {name} of shape {actual.shape[1:]}, the eager model {expected.shape[1:]}; "
            "export it again"
        )
    if not np.isfinite(actual[~_same_infinities(actual, expected)]).all():
        raise ParityError(
            f"{what} gives values that are not finite (nan or inf) in {name} where the eager model does not; "
            "a layer overflows when exported: look at exp, softmax and division"
        )
    max_abs, sqnr_db, cosine = difference(actual, expected)
    is_float = expected.dtype.kind == "f"
    is_row = expected.ndim == 2 or (expected.ndim == 3 and expected.shape[1] == 1)
    largest = _largest(expected)
    return OutputParity(
        name=name,
        max_abs=max_abs,
        sqnr_db=sqnr_db,
        tolerance=tolerance * max(1.0, largest),
        cosine=cosine,
        top1_agreement=_same_best(actual, expected, -1) if is_float and is_row else None,
        pixel_agreement=_same_best(actual, expected, 2) if is_float and expected.ndim == 5 else None,
        equal_share=None if is_float else float((actual == expected).mean()),
        channels=_compare_channels(actual, expected, tolerance, largest) if is_float else (),
    )


def _compare_channels(
    actual: np.ndarray, expected: np.ndarray, tolerance: float, largest: float
) -> tuple[ChannelParity, ...]:
    axis, groups = unlike_groups(expected)
    found = []
    for group in groups:
        part, wanted = actual.take(group, axis), expected.take(group, axis)
        max_abs, sqnr_db, _ = difference(part, wanted)
        limit = tolerance * max(1.0, _largest(wanted), _SMALLEST_PART * largest)
        found.append(ChannelParity(describe_channels(group, axis - 1), max_abs, sqnr_db, limit))
    return tuple(found)


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def _same_best(actual: np.ndarray, expected: np.ndarray, axis: int) -> float | None:
    """Return how often the best class, along ``axis``, is the same; ``None`` where there is one only."""
    if expected.shape[axis] < 2:
        return None
    return float((actual.argmax(axis) == expected.argmax(axis)).mean())


def difference(actual: np.ndarray, expected: np.ndarray) -> tuple[float, float | None, float | None]:
    """Return the largest difference, the SQNR in dB and the cosine between two arrays of one shape.

    The SQNR is ``None`` for equal arrays or an ``expected`` of zeros, the cosine for an array of
    zeros. Infinities that are equal differ by nothing; other values that are not finite are
    infinitely far: ``(inf, -inf, None)``.
    """
    same = _same_infinities(actual, expected)
    if same.any():  # a mask of impossible classes
        actual, expected = actual[~same], expected[~same]
    if not np.isfinite(actual).all():
        return float("inf"), float("-inf"), None
    actual, expected = actual.astype(np.float64), expected.astype(np.float64)
    error = actual - expected
    noise, signal = float(np.square(error).sum()), float(np.square(expected).sum())
    norm = np.sqrt(signal * float(np.square(actual).sum()))
    sqnr_db = 10 * float(np.log10(signal / noise)) if noise and signal else None
    cosine = float((actual * expected).sum() / norm) if norm else None
    return float(np.abs(error).max(initial=0.0)), sqnr_db, cosine


def _same_infinities(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return np.isinf(expected) & (actual == expected)


def summarise(outputs: Sequence[OutputParity], *, n_inputs: int, described: str) -> Parity:
    """Return the parity of a file from that of its outputs: the figures of the worst one lead."""
    # Labels are far from their limit or exact, and have no noise: they lead where nothing else is there.
    numbers = [output for output in outputs if output.equal_share is None] or outputs
    worst = max(numbers, key=lambda output: output.max_abs / output.tolerance)
    return Parity(
        max_abs=worst.max_abs,
        sqnr_db=worst.sqnr_db,
        tolerance=worst.tolerance,
        n_inputs=n_inputs,
        inputs=described,
        top1_agreement=worst.top1_agreement,
        outputs=tuple(outputs),
        pixel_agreement=worst.pixel_agreement,
        equal_share=worst.equal_share,
    )


def check_parity(name: str, parity: Parity) -> None:
    """Refuse a variant whose outputs differ by more than its tolerance.

    Labels, integers and booleans are held against the share of them that is equal.

    Raises:
        ParityError: they do.
    """
    for output in parity.outputs:
        if output.equal_share is not None:
            if output.equal_share < _LEAST_EQUAL:
                raise ParityError(
                    f"{name} gives {output.equal_share:.1%} of the values of {output.name} as the eager "
                    f"model does on {parity.inputs}, allowed is {_LEAST_EQUAL:.1%}; find the layer that the "
                    "exporter changes"
                )
            continue
        for part in (output, *output.channels):
            if part.max_abs > part.tolerance:
                which = f" in {output.name}" if len(parity.outputs) > 1 else ""
                if part is not output:
                    which = f" in {part.channels} of {output.name}"
                raise ParityError(
                    f"{name} differs from the eager model by {part.max_abs:.2e}{which} on {parity.inputs}, "
                    f"allowed is {part.tolerance:.2e}; find the layer that the exporter changes, or raise "
                    "--tolerance"
                )
