"""Compare the exported file with the eager model on real inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from runtime.bundle import Parity
from runtime.engines import EngineProcess
from runtime.errors import ParityError

# Of the largest magnitude of the eager outputs: logits of 20 may differ by 0.002. Float32 sums in
# another order differ by about 1e-6 of it; a wrong op differs by more than 1e-2.
DEFAULT_TOLERANCE = 1e-4


def measure_parity(
    engine: str,
    path: Path,
    model: nn.Module,
    inputs: np.ndarray,
    *,
    tolerance: float = DEFAULT_TOLERANCE,
    described: str = "",
) -> Parity:
    """Run the file at ``path`` and the eager ``model`` on ``inputs``, one by one, and compare.

    Args:
        engine: ``executorch`` or ``litert``.
        path: the exported file.
        model: in evaluation mode, returning one tensor.
        inputs: float32, shape (N, C, H, W).
        tolerance: allowed difference, relative to the largest eager output or to 1, whichever is
            larger. The result's ``tolerance`` is the absolute limit that follows.
        described: what the inputs are, for the manifest.

    Raises:
        ParityError: the file gives another shape, or values that are not finite.
    """
    frames = [inputs[i : i + 1] for i in range(len(inputs))]
    with torch.no_grad():
        expected = np.concatenate([model(torch.from_numpy(frame)).numpy() for frame in frames])
    with EngineProcess(engine, path) as exported:
        actual = np.concatenate([(exported.run([frame]).outputs or [])[0] for frame in frames])
    return compare(f"{path.name} on {engine}", actual, expected, tolerance=tolerance, described=described)


def compare(
    what: str, actual: np.ndarray, expected: np.ndarray, *, tolerance: float, described: str = ""
) -> Parity:
    """Return the difference between two batches of outputs, shape (N, ...); see ``measure_parity``."""
    if actual.shape != expected.shape:
        raise ParityError(
            f"{what} gives outputs of shape {actual.shape[1:]}, the eager model {expected.shape[1:]}; "
            "export it again"
        )
    if not np.isfinite(actual).all():
        raise ParityError(
            f"{what} gives values that are not finite (nan or inf) where the eager model does not; "
            "a layer overflows when exported: look at exp, softmax and division"
        )
    error = actual.astype(np.float64) - expected
    noise, signal = float(np.square(error).sum()), float(np.square(expected.astype(np.float64)).sum())
    n = len(expected)
    same = actual.reshape(n, -1).argmax(1) == expected.reshape(n, -1).argmax(1)
    return Parity(
        max_abs=float(np.abs(error).max()),
        sqnr_db=10 * float(np.log10(signal / noise)) if noise and signal else None,
        tolerance=tolerance * max(1.0, float(np.abs(expected).max())),
        n_inputs=n,
        inputs=described,
        top1_agreement=float(same.mean()) if expected[0].size > 1 else None,
    )


def check_parity(name: str, parity: Parity) -> None:
    """Refuse a variant whose outputs differ by more than its tolerance.

    Raises:
        ParityError: they do.
    """
    if parity.max_abs > parity.tolerance:
        raise ParityError(
            f"{name} differs from the eager model by {parity.max_abs:.2e} on {parity.inputs}, allowed is "
            f"{parity.tolerance:.2e}; find the layer that the exporter changes, or raise --tolerance"
        )
