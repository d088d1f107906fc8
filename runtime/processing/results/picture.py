"""Pixels that a network makes, brought back to where its input was in the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.bundle.result import Picture
from runtime.extras import require
from runtime.processing.placement import Placement
from runtime.processing.results.colours import ground
from runtime.processing.results.decoded import Frame, Row
from runtime.processing.sampling import input_points, sample_linear

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


@dataclass(frozen=True)
class PictureResult:
    """What the network made: uint8 of shape (h, w, 3), and where that lies in the original."""

    pixels: np.ndarray
    placement: Placement | None

    def table(self) -> tuple[tuple[str, ...], list[Row]]:
        height, width = self.pixels.shape[:2]
        return ("picture", "pixels"), [("made", f"{width}x{height}")]

    def plain(self) -> dict[str, Any]:
        height, width = self.pixels.shape[:2]
        return {"result": "picture", "width": width, "height": height}

    def draw(self, picture: Image.Image | None) -> Image.Image:
        image = require("PIL.Image", extra="images")
        if picture is None or self.placement is None:
            made: Image.Image = image.fromarray(self.pixels)
            return made
        np = require("numpy", extra="images")
        high, wide, size = *self.pixels.shape[:2], self.placement.size
        xs = input_points(self.placement.x, self.placement.width) * (wide / size)
        ys = input_points(self.placement.y, self.placement.height) * (high / size)
        carried = sample_linear(self.pixels, ys.clip(0.5, high - 0.5), xs.clip(0.5, wide - 0.5))
        is_inside = ((ys >= 0) & (ys <= high))[:, None] & ((xs >= 0) & (xs <= wide))
        under = ground(picture, *picture.size)
        over = image.fromarray(np.rint(carried).clip(0, 255).astype(np.uint8))
        under.paste(over, (0, 0), image.fromarray(is_inside.astype(np.uint8) * np.uint8(255)))
        return under

    def forms(self) -> Mapping[str, Callable[[], bytes]]:
        return {}


def decode_picture(result: Picture, frame: Frame) -> PictureResult:
    """Return the pixels as bytes; grey ones in all three channels."""
    np = require("numpy", extra="images")
    pixels = frame.outputs[result.pixels][0]
    if result.layout == "nchw":
        pixels = pixels.transpose(1, 2, 0)
    shares = pixels * np.asarray(result.std, np.float32) + np.asarray(result.mean, np.float32)
    made = np.rint(shares * 255).clip(0, 255).astype(np.uint8)
    return PictureResult(np.repeat(made, 3, axis=-1) if made.shape[-1] == 1 else made, frame.placement)
