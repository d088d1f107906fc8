"""Photographs in, input tensors out: the same steps on the host and on the device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.bundle import ImageSpec
from runtime.bundle.decoding import refuse_special
from runtime.errors import DataError
from runtime.extras import require

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_MAX_ASPECT = 100  # a one-pixel-high strip, scaled by its shorter side, would fill the memory

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")


def load_image(path: str | Path, spec: ImageSpec) -> np.ndarray:
    """Read the image at ``path`` as a network input, upright as its EXIF orientation says.

    Returns:
        float32 array of shape (1, C, H, W) or (1, H, W, C), normalised and laid out as ``spec`` says.

    Raises:
        DataError, MissingExtra: as ``open_image``.
    """
    return preprocess(open_image(path), spec)


def open_image(path: str | Path) -> Image.Image:
    """Read the image at ``path``, upright as its EXIF orientation says.

    Raises:
        DataError: there is no such file, or it is not an image.
        MissingExtra: Pillow is not installed; a device that is fed arrays does not need its 24 MB.
    """
    pillow = _pillow()
    refuse_special(Path(path))
    try:
        with pillow.open(path) as opened:
            image: Image.Image = require("PIL.ImageOps", extra="images").exif_transpose(opened)
            image.load()
    except FileNotFoundError as err:
        raise DataError(f"there is no image at {path}; give the path of a PNG, JPEG or similar file") from err
    except (OSError, ValueError, SyntaxError, NotImplementedError, pillow.DecompressionBombError) as err:
        # Pillow's decoders answer damaged files with any of these.
        raise DataError(f"{path} is not a readable image ({err}); give a PNG, JPEG or similar file") from err
    return image


def in_channels(image: Image.Image, channels: int) -> Image.Image:
    """Return ``image`` with 3 (RGB) or 1 (grey) channels of 8 bits; transparency is dropped.

    Raises:
        DataError: pixels without a known range, or a strip too thin to scale.
    """
    if image.mode in ("I", "F"):
        raise DataError(f"pixels of mode {image.mode!r} have no fixed range; save it with 8 or 16 bits")
    if max(image.size) > _MAX_ASPECT * min(image.size):
        shape = f"{image.width}x{image.height}"
        raise DataError(f"an image of {shape} pixels is too thin; crop it to at most {_MAX_ASPECT}:1")
    if image.mode.startswith("I;16"):  # Pillow's own conversion saturates everything above 255
        np = require("numpy", extra="images")
        image = _pillow().fromarray((np.asarray(image) >> 8).astype(np.uint8))
    mode = "RGB" if channels == 3 else "L"
    return image if image.mode == mode else image.convert(mode)


def preprocess(image: Image.Image, spec: ImageSpec) -> np.ndarray:
    """Resize, crop the centre and normalise.

    Args:
        image: any PIL image; transparency is dropped.

    Returns:
        float32 array of shape (1, C, H, W) or (1, H, W, C), as ``spec`` says.

    Raises:
        DataError: pixels without a known range, or a strip too thin to scale.
    """
    np = require("numpy", extra="images")
    image = in_channels(image, spec.channels)
    width, height = resized(image.width, image.height, spec)
    if (width, height) != image.size:
        image = image.resize((width, height), _pillow().Resampling[spec.interpolation.upper()])
    left, top = (width - spec.size) // 2, (height - spec.size) // 2
    image = image.crop((left, top, left + spec.size, top + spec.size))
    pixels = np.asarray(image, dtype=np.float32).reshape(spec.size, spec.size, spec.channels) / 255.0
    return normalise(pixels[None], spec)


def resized(width: int, height: int, spec: ImageSpec) -> tuple[int, int]:
    """Return the sides in pixels to which a picture is scaled before its centre is cropped."""
    scale = spec.resize / min(width, height)
    return max(spec.size, round(width * scale)), max(spec.size, round(height * scale))


def normalise(pixels: np.ndarray, spec: ImageSpec) -> np.ndarray:
    """Turn pixels in [0, 1], shape (B, H, W, C), into normalised float32 in the layout of ``spec``."""
    np = require("numpy", extra="images")
    shape = pixels.shape
    # Of a whole row at once: NumPy is slow over an axis of three channels.
    mean, std = (np.tile(np.asarray(each, dtype=np.float32), shape[2]) for each in (spec.mean, spec.std))
    normalised = pixels.reshape(*shape[:2], -1) - mean
    normalised /= std
    normalised = normalised.reshape(shape)
    if spec.layout == "nhwc":
        return np.ascontiguousarray(normalised, dtype=np.float32)
    planes = np.empty((shape[0], shape[3], *shape[1:3]), dtype=np.float32)
    for channel in range(shape[3]):
        planes[:, channel] = normalised[..., channel]
    return planes


def _pillow() -> Any:
    return require("PIL.Image", extra="images")
