"""What a program has at hand (a path, a picture, an array, a tensor) as a model's input tensors."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runtime.bundle import TensorSpec
from runtime.extras import require
from runtime.processing.images import preprocess
from runtime.processing.inputs import check_input, load_frame, load_input

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_TAKES = "a path, a PIL image, an array or a tensor"


def as_frame(given: Any, specs: Sequence[TensorSpec]) -> list[np.ndarray]:
    """Return ``given`` as one frame: an array per input of ``specs``.

    Args:
        given: for one input what ``as_input`` takes; for several a list of these in order, a mapping
            by the inputs' names, or the path of a ``.npz`` file.

    Raises:
        DataError: a file cannot be read.
        TypeError: a kind of object that cannot be an input.
        ValueError: it does not fit the inputs.
    """
    if isinstance(given, (str, os.PathLike)):
        return load_frame(os.fspath(given), specs)
    names = [spec.name for spec in specs]
    if isinstance(given, Mapping):
        if set(given) != set(names):
            raise ValueError(f"inputs are given for {', '.join(given)}; the model takes {', '.join(names)}")
        given = [given[name] for name in names]
    if not isinstance(given, (list, tuple)):
        given = [given]
    if len(given) != len(specs):
        raise ValueError(
            f"{len(given)} inputs are given; the model takes {len(specs)} ({', '.join(names)}): give them in "
            "this order, or by name"
        )
    return [as_input(one, spec) for one, spec in zip(given, specs, strict=True)]


def as_input(given: Any, spec: TensorSpec) -> np.ndarray:
    """Return ``given`` as the input that ``spec`` describes.

    Args:
        given: a path; a PIL image; pixels, a uint8 array of shape (H, W), (H, W, C) or (1, H, W, C), for
            an input that is a photograph; else an array or torch tensor in the input's own shape.

    Raises:
        DataError, TypeError, ValueError: as ``as_frame``.

    Example:
        >>> from runtime.bundle import ImageSpec
        >>> import numpy as np
        >>> image = ImageSpec(size=2, resize=2, mean=(0.0,) * 3, std=(1.0,) * 3, layout="nhwc")
        >>> pixels = np.full((4, 6, 3), 255, dtype=np.uint8)
        >>> as_input(pixels, TensorSpec("image", "float32", image.shape, image)).mean()
        np.float32(1.0)
    """
    if isinstance(given, (str, os.PathLike)):
        return load_input(os.fspath(given), spec)
    if _is_picture(given):
        return _from_picture(given, spec)
    if hasattr(given, "detach"):  # a torch tensor, without importing torch to see
        given = given.detach().cpu().numpy()
    if not hasattr(given, "dtype"):
        raise TypeError(f"input {spec.name!r} is given as {type(given).__name__}; give {_TAKES}")
    if spec.image is not None and given.dtype == "uint8":
        return _from_picture(_picture(given, spec), spec)
    if spec.image is not None and given.ndim < len(spec.shape):
        raise ValueError(
            f"{given.dtype} of shape {given.shape} is given for input {spec.name!r}; pixels are uint8, 0 to "
            f"255: convert them, or give {spec.dtype} of shape {spec.shape}, normalised"
        )
    return check_input(given, spec, "what is given")


def _is_picture(given: object) -> bool:
    return hasattr(given, "getbands") and hasattr(given, "resize")  # PIL's, without importing it to see


def _from_picture(picture: Image.Image, spec: TensorSpec) -> np.ndarray:
    if spec.image is None:
        raise ValueError(
            f"input {spec.name!r} takes no picture: nothing says how one becomes {spec.shape}; give an array "
            "of that shape, or export the model with a Preprocess"
        )
    picture = require("PIL.ImageOps", extra="images").exif_transpose(picture)
    return check_input(preprocess(picture, spec.image), spec, "the picture")


def _picture(pixels: np.ndarray, spec: TensorSpec) -> Image.Image:
    """Return uint8 ``pixels`` as a picture: grey, colour, or colour with transparency."""
    whole = pixels[0] if pixels.ndim == 4 and len(pixels) == 1 else pixels
    if whole.ndim == 3 and whole.shape[-1] == 1:
        whole = whole[..., 0]
    if whole.ndim != 2 and not (whole.ndim == 3 and whole.shape[-1] in (3, 4)):
        raise ValueError(
            f"pixels of input {spec.name!r} have shape {pixels.shape}; uint8 pixels are (H, W) or (H, W, C) "
            f"with 1, 3 or 4 channels: transpose them, or give float32 of shape {spec.shape}"
        )
    picture: Image.Image = require("PIL.Image", extra="images").fromarray(whole)
    return picture
