"""Faces drawn by artists, from the parts that the package python-avatars brings (MIT).

A drawing has one group per part. What a part covers are the pixels that change when its group is left out;
for that the face is drawn in colours that no part shares, so that fair hair on fair skin is found too.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from edgekit.data.faces.face import FACE_CLASSES, Face
from runtime.extras import require

_WIDTH = 176  # pixels; drawings are 264 units wide, and time grows with the square
# From above the brows to the chin, as detectors box faces; the head is the same in all drawings.
BOX = tuple(edge * _WIDTH / 264 for edge in (76, 62, 188, 186))
# From the back to the front.
_PARTS = {"skin": "Body", "nose": "Nose", "mouth": "Mouth", "eyes": "Eyes", "brows": "Eyebrow", "hair": "Top"}
# Helmet, veil, hat, flowers, band: these would be called hair.
_NO_HAIR = ("ASTRONAUT", "BRIDE", "HAT", "FRIDA", "FRO_BAND")
_LEFT_OUT = {"hair": _NO_HAIR, "clothing": ("NONE", "GRAPHIC_SHIRT")}
_LEAST_CHANGE = 8  # of 255: a part that changes less is hidden by others
_EDGE = 0.3  # of its largest change, from which a pixel is the part: above the shadow that hair casts


def draw_face(rng: np.random.Generator) -> Face:
    """Return a face of parts and colours drawn by ``rng``.

    Raises:
        MissingExtra: the packages of the extra ``faces`` are not installed.
    """
    avatars = require("python_avatars", extra="faces")
    parts = {
        "top": _choose(avatars.HairType, rng, _LEFT_OUT["hair"]),
        "eyebrows": _choose(avatars.EyebrowType, rng),
        "eyes": _choose(avatars.EyeType, rng),
        "nose": _choose(avatars.NoseType, rng),
        "mouth": _choose(avatars.MouthType, rng),
        "clothing": _choose(avatars.ClothingType, rng, _LEFT_OUT["clothing"]),
        "style": avatars.AvatarStyle.TRANSPARENT,
    }
    colours = {
        "skin_color": _choose(avatars.SkinColor, rng),
        "hair_color": _choose(avatars.HairColor, rng),
        "clothing_color": _choose(avatars.ClothingColor, rng),
    }
    plain = {"skin_color": "#FF0000", "hair_color": "#00FF00", "clothing_color": "#0000FF"}
    pixels = _render(avatars.Avatar(**parts, **colours).render())
    return Face(pixels, _labels(avatars.Avatar(**parts, **plain).render()), BOX)


def _choose(kind: Any, rng: np.random.Generator, left_out: Sequence[str] = ()) -> Any:
    choices = [one for one in kind if one.name not in left_out]
    return choices[rng.integers(len(choices))]


def _labels(svg: str) -> np.ndarray:
    """Return the class of each pixel of a drawing, uint8, shape (H, W)."""
    whole = _premultiplied(_render(svg))
    labels = np.zeros(whole.shape[:2], dtype=np.uint8)
    for name, group in _PARTS.items():
        change = np.abs(_premultiplied(_render(_without(svg, f"transparent_{group}"))) - whole).max(axis=-1)
        labels[change > max(_EDGE * change.max(), _LEAST_CHANGE)] = FACE_CLASSES.index(name)
    return labels


def _without(svg: str, group: str) -> str:
    root = ElementTree.fromstring(svg)
    for parent in root.iter():
        for child in parent:
            if child.get("id") == group:
                parent.remove(child)
                return ElementTree.tostring(root, encoding="unicode")
    raise AssertionError(f"python-avatars draws no group {group!r}")


def _render(svg: str) -> np.ndarray:
    """Return uint8 of shape (H, W, 4)."""
    resvg = require("resvg_py", extra="faces")
    data = bytes(resvg.svg_to_bytes(svg_string=svg, width=_WIDTH))
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def _premultiplied(pixels: np.ndarray) -> np.ndarray:
    """Return colours as much as they show, and alpha, float32 up to 255."""
    values = pixels.astype(np.float32)
    return np.concatenate([values[..., :3] * (values[..., 3:] / 255), values[..., 3:]], axis=-1)
