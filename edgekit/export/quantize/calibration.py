"""Calibration frames: real inputs that show how far each activation reaches."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.tasks import Frame
from runtime.bundle import ImageSpec, TensorSpec
from runtime.bundle.decoding import ARRAY_ERRORS, refuse_special, why
from runtime.errors import DataError
from runtime.processing.images import IMAGE_SUFFIXES, load_image, preprocess

N_CALIBRATION = 128
N_CROPS = 48
_HINT = "give a folder of images, an image, or a .npy array of shape (N, ...) with --calibration"


@dataclass(frozen=True)
class Calibration:
    """Frames of real inputs, and what they are, for people."""

    frames: tuple[Frame, ...]
    described: str

    def __post_init__(self) -> None:
        if not self.frames:
            raise DataError(f"the calibration set is empty ({self.described}); {_HINT}")

    def check(self, inputs: Sequence[TensorSpec]) -> Calibration:
        """Return these frames, after checking that each fits ``inputs``.

        Raises:
            DataError: a frame has another number of inputs, another shape or values that are not finite.
        """
        for number, frame in enumerate(self.frames):
            if len(frame) != len(inputs):
                raise DataError(
                    f"calibration frame {number} has {len(frame)} inputs, the model takes {len(inputs)}"
                )
            for array, spec in zip(frame, inputs, strict=True):
                if array.shape != spec.shape:
                    raise DataError(
                        f"calibration frame {number} has shape {array.shape}, input {spec.name!r} is "
                        f"{spec.shape}; give images or arrays of the network's size"
                    )
                if not np.isfinite(array).all():
                    raise DataError(
                        f"calibration frame {number} has values that are not finite; leave it out"
                    )
        return self


def load_calibration(path: str | os.PathLike[str] | np.ndarray, spec: TensorSpec) -> Calibration:
    """Return the images, or the rows of the ``.npy`` array, at ``path`` as frames of one input.

    ``path`` may be such an array, or a tensor, itself.

    Images are resized and cropped as the network's inputs are; at most ``N_CALIBRATION`` are taken,
    evenly over the sorted names. An array must have the network's shape.

    Raises:
        DataError: nothing is there, it cannot be read, or its shape is wrong.
        ValueError: images are given, but the model's input is no image.
    """
    if not isinstance(path, (str, os.PathLike)):
        return _from_array(np.asarray(path), spec, "the array of frames", "arrays as given")
    path = Path(path)
    if path.suffix == ".npy":
        return _from_array(_load(path), spec, str(path), f"arrays of {path.name}")
    if not path.exists():
        raise DataError(f"there is no calibration set at {path}; {_HINT}")
    files = _evenly(find_images(path)) if path.is_dir() else [path]
    if not files:
        raise DataError(f"the calibration set {path} holds no image; {_HINT}")
    if spec.image is None:
        raise ValueError(f"input {spec.name!r} is no image; give a .npy array of frames with --calibration")
    image = spec.image
    return Calibration(tuple((load_image(file, image),) for file in files), f"images of {path.name}")


def find_images(folder: Path) -> list[Path]:
    """Return the image files below ``folder``, sorted."""
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in IMAGE_SUFFIXES)


def sample_photographs(image: ImageSpec, count: int = N_CROPS) -> Calibration:
    """Return crops of scikit-learn's two photographs, some mirrored, stretched in contrast or colour.

    A thin set: two photographs do not reach every range that others will. It is enough to keep the
    labels of clear photographs, not to promise an accuracy.
    """
    from PIL import Image, ImageEnhance, ImageOps
    from sklearn.datasets import load_sample_images

    photos = [Image.fromarray(photo) for photo in load_sample_images().images]
    rng = np.random.default_rng(0)
    frames = []
    for i in range(count):
        photo = photos[i % len(photos)]
        side = int(min(photo.size) * rng.uniform(0.6, 1.0))
        left, top = rng.integers(0, photo.width - side + 1), rng.integers(0, photo.height - side + 1)
        crop = photo.crop((left, top, left + side, top + side))
        if rng.random() < 0.5:
            crop = ImageOps.mirror(crop)
        if i % 4 > 1:
            crop = ImageOps.autocontrast(crop, cutoff=1)
        if i % 3 == 1:
            crop = ImageEnhance.Color(crop).enhance(rng.uniform(0.5, 2.0))
        frames.append((preprocess(crop, image),))
    return Calibration(tuple(frames), f"{count} crops of scikit-learn's 2 photographs")


def _load(path: Path) -> np.ndarray | None:
    refuse_special(path)
    try:
        array = np.load(path, allow_pickle=False)
    except ARRAY_ERRORS as err:
        raise DataError(f"{path} is not a .npy array ({why(err)}); write it with numpy.save") from err
    return array if isinstance(array, np.ndarray) else None


def _from_array(array: np.ndarray | None, spec: TensorSpec, what: str, described: str) -> Calibration:
    if array is None or array.ndim < 1 or array.shape[1:] != spec.shape[1:]:
        raise DataError(
            f"{what} has shape {getattr(array, 'shape', None)}; needed is (N, {str(spec.shape[1:])[1:]}"
        )
    rows = array.astype(spec.dtype)
    frames = tuple((np.ascontiguousarray(rows[i : i + 1]),) for i in _evenly(range(len(rows))))
    return Calibration(frames, described)


def _evenly(items: Sequence) -> list:
    if len(items) <= N_CALIBRATION:
        return list(items)
    return [items[i] for i in np.linspace(0, len(items) - 1, N_CALIBRATION).astype(int)]
