"""Find calibration and validation images for an origin: the user's, its dataset's, or photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgekit.export.graph import Origin
from edgekit.export.quantize.calibration import (
    N_CALIBRATION,
    Calibration,
    load_calibration,
    sample_photographs,
)
from edgekit.export.quantize.validation import N_VALIDATION, Validation, load_validation
from edgekit.tasks import Frame
from runtime.bundle import MAIN_GRAPH, ImageSpec, TensorSpec


def find_calibration(
    origin: Origin, path: str | Path | np.ndarray | None = None, data_root: str | Path | None = None
) -> Calibration | None:
    """Return calibration frames for ``origin``.

    Args:
        origin: a checkpoint's is calibrated on training images of its dataset, a model of the zoo on
            crops of scikit-learn's photographs; any other on its own frames (``None``).
        path: images or a ``.npy`` array instead, or an array itself.
        data_root: where the files of the dataset are.

    Raises:
        DataError: it is empty, cannot be read or has the wrong shape.
        ValueError: ``path`` is given for a model with several inputs.
    """
    spec = _only_input(origin)
    if path is not None:
        if spec is None:
            raise ValueError("--calibration is for models with one graph and one input; leave it out")
        return load_calibration(path, spec)
    if spec is None or spec.image is None:
        return None
    if "dataset" in origin.facts:
        split = _dataset(origin, spec.image, data_root).train
        arrays, _ = split.batch(evenly(len(split), N_CALIBRATION))
        return Calibration(_frames(arrays), f"training images of {origin.facts['dataset']}")
    return sample_photographs(spec.image)


def find_validation(
    origin: Origin, path: str | Path | None = None, data_root: str | Path | None = None
) -> Validation | None:
    """Return labelled images for ``origin``: those below ``path``, or test images of its dataset.

    ``None`` when there are none. Raises as ``find_calibration``.
    """
    spec = _only_input(origin)
    if spec is None or spec.image is None:
        if path is not None:
            raise ValueError("--validation is for models with one graph whose only input is an image")
        return None
    if path is not None:
        return load_validation(path, spec.image, origin.labels)
    if "dataset" not in origin.facts:
        return None
    split = _dataset(origin, spec.image, data_root).test
    arrays, labels = split.batch(evenly(len(split), N_VALIDATION))
    described = f"{len(labels)} test images of {origin.facts['dataset']}"
    return Validation(_frames(arrays), labels, described, origin.task)


def read_share(text: str | float | None) -> float | None:
    """Return ``1%``, ``0.01`` or the number itself as 0.01.

    Raises:
        ValueError: it is neither.
    """
    if text is None or isinstance(text, (float, int)):
        return text
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError as err:
        raise ValueError(f"{text!r} is no share; write it as 1% or 0.01") from err


def _only_input(origin: Origin) -> TensorSpec | None:
    graph = origin.graphs.get(MAIN_GRAPH)
    alone = len(origin.graphs) == 1 and graph is not None and len(graph.inputs) == 1
    return graph.inputs[0] if graph is not None and alone else None


def _dataset(origin: Origin, image: ImageSpec, data_root: str | Path | None):
    from edgekit.data import load_dataset

    return origin.task.view(load_dataset(origin.facts["dataset"], root=data_root, image_size=image.size))


def _frames(arrays: np.ndarray) -> tuple[Frame, ...]:
    return tuple((np.ascontiguousarray(arrays[i : i + 1]),) for i in range(len(arrays)))


def evenly(total: int, count: int) -> np.ndarray:
    """Return ``count`` of ``total`` indices, or all, the same distance apart."""
    return np.linspace(0, total - 1, min(total, count)).astype(int)
