"""Files in, input tensors out: photographs as the bundle wants them, or arrays as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.bundle import TensorSpec
from runtime.bundle.decoding import ARRAY_ERRORS, refuse_special, why
from runtime.errors import DataError
from runtime.extras import require
from runtime.processing.images import load_image

if TYPE_CHECKING:
    import numpy as np


def load_frame(path: str | Path, specs: Sequence[TensorSpec]) -> list[np.ndarray]:
    """Return the file at ``path`` as one frame: an array per input of ``specs``.

    A network with one input takes what ``load_input`` takes; one with several takes a ``.npz``
    archive whose arrays are called as its inputs.

    Raises:
        DataError: the file is missing or cannot be read.
        ValueError: it does not fit the inputs.
    """
    if len(specs) == 1:
        return [load_input(path, specs[0])]
    names = ", ".join(spec.name for spec in specs)
    if Path(path).suffix != ".npz":
        raise ValueError(f"the network has {len(specs)} inputs: give a .npz file with arrays called {names}")
    arrays = load_archive(Path(path))
    if set(arrays) != {spec.name for spec in specs}:
        raise ValueError(f"{path} holds {', '.join(arrays) or 'nothing'}; the inputs are called {names}")
    return [check_input(arrays[spec.name], spec, f"{spec.name} in {path}") for spec in specs]


def load_input(path: str | Path, spec: TensorSpec) -> np.ndarray:
    """Return the file at ``path`` as the input that ``spec`` describes.

    A ``.npy`` file is taken as it is; anything else is read as an image.

    Raises:
        DataError: the file is missing or cannot be read.
        ValueError: it holds another shape or type, or the bundle does not say how images enter.
    """
    if Path(path).suffix == ".npy":
        return check_input(_load_array(Path(path)), spec, str(path))
    if spec.image is None:
        raise ValueError(
            f"input {spec.name!r} is no image: give a .npy file of shape {spec.shape} and type {spec.dtype}"
        )
    return check_input(load_image(path, spec.image), spec, str(path))


def check_input(array: np.ndarray, spec: TensorSpec, where: str) -> np.ndarray:
    """Return ``array`` in the type of ``spec``.

    Raises:
        ValueError: another shape, or a type that does not convert without loss of kind.
    """
    if array.shape != spec.shape:
        raise ValueError(f"{where} has shape {array.shape}; input {spec.name!r} is {spec.shape}: reshape it")
    np = require("numpy", extra="images")
    if not _is_number(spec.dtype):
        raise ValueError(
            f"input {spec.name!r} is {spec.dtype!r}, which is no type of numbers: export it again"
        )
    if not np.can_cast(array.dtype, spec.dtype, casting="same_kind"):
        raise ValueError(f"{where} holds {array.dtype}; input {spec.name!r} is {spec.dtype}: convert it")
    return np.ascontiguousarray(array, dtype=spec.dtype)


def _is_number(dtype: str) -> bool:
    """Return whether a manifest's ``dtype`` is one that NumPy computes with."""
    np = require("numpy", extra="images")
    try:
        return np.dtype(dtype).kind in "biuf"
    except (TypeError, ValueError, SyntaxError):
        return False


def load_archive(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a ``.npz`` file by name.

    Raises:
        DataError: it is missing, or cannot be read.
    """
    np = require("numpy", extra="images")
    refuse_special(path)
    try:
        with np.load(path, allow_pickle=False) as loaded:
            arrays = {name: loaded[name] for name in loaded.files}
    except FileNotFoundError as err:
        raise DataError(f"there is no file at {path}; give the path of a .npz archive") from err
    except ARRAY_ERRORS as err:
        raise DataError(f"{path} is not a .npz archive ({why(err)}); write it with numpy.savez") from err
    if odd := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
        raise DataError(f"{path} holds {odd[0]!r}, which is no array; write it with numpy.savez")
    return arrays


def _load_array(path: Path) -> np.ndarray:
    np = require("numpy", extra="images")
    refuse_special(path)
    try:
        loaded = np.load(path, allow_pickle=False)
    except FileNotFoundError as err:
        raise DataError(f"there is no file at {path}; give the path of an image or a .npy array") from err
    except ARRAY_ERRORS as err:
        raise DataError(f"{path} is not a .npy array ({why(err)}); write it with numpy.save") from err
    if not isinstance(loaded, np.ndarray):
        raise DataError(f"{path} is an archive of arrays; write one array with numpy.save")
    return loaded
