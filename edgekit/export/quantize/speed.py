"""Whether a quantised file is faster than the float file that it is made of, on the exporting machine."""

from __future__ import annotations

from pathlib import Path

from edgekit.export.backend import Exported
from edgekit.tasks import Frame
from runtime.bundle import IoScale
from runtime.engines import EngineProcess
from runtime.processing.int8_io import to_int8

_ROUNDS = 15


def latency_ratio(
    engine: str, path: Path, frame: Frame, inputs: tuple[IoScale, ...], float_file: Exported
) -> float:
    """Return the latency of a frame of the file at ``path`` as a multiple of the float file's.

    Frames of both alternate, so that other load hits both, and the quickest of each counts: a hint on
    this machine, not a measurement of a device.

    Args:
        engine: that runs both.
        path: of the quantised file.
        frame: float inputs.
        inputs: what the int8 inputs of the quantised file mean.
        float_file: to compare with.

    Raises:
        DeviceError: a file cannot be run.
    """
    with (
        float_file.as_file() as float_path,
        EngineProcess(engine, float_path) as exact,
        EngineProcess(engine, path) as quantised,
    ):
        pairs = []
        for model, arrays in ((exact, frame), (quantised, to_int8(frame, inputs))):
            given = zip(arrays, model.inputs, strict=True)
            pairs.append((model, [array.astype(spec.dtype) for array, spec in given]))
        rounds = [
            [model.run(arrays, want_outputs=False).latency_ms for model, arrays in pairs]
            for _ in range(_ROUNDS)
        ]
    float_ms, int8_ms = (min(found) for found in zip(*rounds, strict=True))
    return int8_ms / float_ms
