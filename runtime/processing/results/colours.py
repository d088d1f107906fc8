"""Colours of classes where a bundle has none, and shades of what is drawn."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

from runtime.bundle.result import Colour
from runtime.errors import DataError
from runtime.extras import require

if TYPE_CHECKING:
    from PIL import Image

_GOLDEN = 0.618033988749895  # turns of the colour circle: any number of these leave no two hues close
PAPER: Colour = (255, 255, 255)
_MOST_PX = 1 << 26  # 200 MB of pixels; a photograph has a fifth of it


def colour_of(number: int) -> Colour:
    """Return the colour of a class by its number; neighbours differ clearly."""
    shade = 1.0 if number % 2 == 0 else 0.72
    red, green, blue = colorsys.hsv_to_rgb(number * _GOLDEN % 1.0, 0.85, shade)
    return round(red * 255), round(green * 255), round(blue * 255)


def ground(picture: Image.Image | None, width: int, height: int, colour: Colour = (0, 0, 0)) -> Image.Image:
    """Return a copy of ``picture`` in RGB, or one of ``colour``, of ``width`` times ``height`` pixels.

    Raises:
        DataError: it would not fit into memory.
    """
    if picture is not None:
        return picture.convert("RGB")
    if width * height > _MOST_PX:
        raise DataError(
            f"a picture of this result would have {width}x{height} pixels; save it as .json or .txt"
        )
    blank: Image.Image = require("PIL.Image", extra="images").new("RGB", (width, height), colour)
    return blank
