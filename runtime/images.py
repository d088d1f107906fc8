"""Photographs in, input tensors out: the same steps on the host and on the device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from runtime.bundle import ImageSpec
from runtime.errors import DataError

_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def load_image(path: str | Path, spec: ImageSpec) -> np.ndarray:
    """Read the image at ``path`` as a network input.

    Returns:
        float32 array of shape (1, C, H, W), normalised as ``spec`` says.

    Raises:
        DataError: there is no such file, or it is not an image.
    """
    try:
        with Image.open(path) as image:
            return preprocess(image, spec)
    except FileNotFoundError as err:
        raise DataError(f"there is no image at {path}; give the path of a PNG, JPEG or similar file") from err
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as err:
        raise DataError(f"{path} cannot be read as an image ({err}); give a PNG, JPEG or similar file") from err


def preprocess(image: Image.Image, spec: ImageSpec) -> np.ndarray:
    """Resize, crop the centre and normalise.

    Args:
        image: any PIL image; transparency is dropped.

    Returns:
        float32 array of shape (1, C, H, W).
    """
    image = image.convert("RGB" if spec.channels == 3 else "L")
    scale = spec.resize / min(image.size)
    width, height = (max(spec.size, round(side * scale)) for side in image.size)
    if (width, height) != image.size:
        image = image.resize((width, height), _FILTERS[spec.interpolation])
    left, top = (width - spec.size) // 2, (height - spec.size) // 2
    image = image.crop((left, top, left + spec.size, top + spec.size))
    pixels = np.asarray(image, dtype=np.float32).reshape(spec.size, spec.size, spec.channels) / 255.0
    return normalise(pixels[None], spec)


def normalise(pixels: np.ndarray, spec: ImageSpec) -> np.ndarray:
    """Turn pixels in [0, 1], shape (B, H, W, C), into normalised float32 of shape (B, C, H, W)."""
    mean = np.asarray(spec.mean, dtype=np.float32)
    std = np.asarray(spec.std, dtype=np.float32)
    return np.ascontiguousarray(((pixels - mean) / std).transpose(0, 3, 1, 2), dtype=np.float32)
