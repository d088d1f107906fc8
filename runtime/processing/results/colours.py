"""Colours of classes where a bundle has none, and shades of what is drawn."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

from runtime.bundle.result import Colour
from runtime.extras import require

if TYPE_CHECKING:
    from PIL import Image

_GOLDEN = 0.618033988749895  # turns of the colour circle: any number of these leave no two hues close
PAPER: Colour = (255, 255, 255)


def colour_of(number: int) -> Colour:
    """Return the colour of a class by its number; neighbours differ clearly."""
    shade = 1.0 if number % 2 == 0 else 0.72
    red, green, blue = colorsys.hsv_to_rgb(number * _GOLDEN % 1.0, 0.85, shade)
    return round(red * 255), round(green * 255), round(blue * 255)


def ground(picture: Image.Image | None, width: int, height: int) -> Image.Image:
    """Return a copy of ``picture`` in RGB, or a black picture of ``width`` times ``height`` pixels."""
    if picture is not None:
        return picture.convert("RGB")
    blank: Image.Image = require("PIL.Image", extra="images").new("RGB", (width, height))
    return blank
