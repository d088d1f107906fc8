"""Scores of a map to the class of each pixel of the picture."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.bundle.result import Colour, Mask
from runtime.extras import require
from runtime.processing.results.colours import colour_of, ground
from runtime.processing.results.decoded import Frame, Row
from runtime.processing.sampling import labels_on_picture

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_INK = 0.55  # of the class's colour over the picture, which still shows through


@dataclass(frozen=True)
class MaskResult:
    """The class of each pixel.

    Attributes:
        labels: number of the class, uint8, shape (H, W) of the picture.
        classes, palette: name and colour of each.
        background: the class that is not drawn; ``None``: all are.
    """

    labels: np.ndarray
    classes: tuple[str, ...]
    palette: tuple[Colour, ...]
    background: int | None

    def table(self) -> tuple[tuple[str, ...], list[Row]]:
        rows: list[Row] = [
            (name, f"{100 * share:.1f} %", ",".join(map(str, box))) for name, share, box in self._found()
        ]
        return ("class", "of the picture", "left,top,right,bottom"), rows

    def plain(self) -> dict[str, Any]:
        found = [{"class": name, "share": share, "box": box} for name, share, box in self._found()]
        height, width = self.labels.shape
        return {"result": "mask", "width": width, "height": height, "classes": found}

    def draw(self, picture: Image.Image | None) -> Image.Image:
        np = require("numpy", extra="images")
        height, width = self.labels.shape
        under = ground(picture, width, height)
        inks = np.full(256, round(255 * (_INK if picture is not None else 1.0)), dtype=np.uint8)
        if self.background is not None:
            inks[self.background] = 0
        image = require("PIL.Image", extra="images")
        under.paste(self._indexed().convert("RGB"), (0, 0), image.fromarray(inks[self.labels]))
        return under

    def forms(self) -> Mapping[str, Callable[[], bytes]]:
        return {".mask.png": self._png}

    def _found(self) -> list[tuple[str, float, tuple[int, int, int, int]]]:
        """Return name, share of the picture and box of each class that is there."""
        np = require("numpy", extra="images")
        counts = np.bincount(self.labels.ravel(), minlength=len(self.classes))
        found = []
        for number, name in enumerate(self.classes):
            if counts[number] == 0:
                continue
            here = self.labels == number
            rows, columns = np.flatnonzero(here.any(axis=1)), np.flatnonzero(here.any(axis=0))
            box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
            found.append((name, float(counts[number] / self.labels.size), box))
        return found

    def _indexed(self) -> Image.Image:
        image: Image.Image = require("PIL.Image", extra="images").fromarray(self.labels)
        image.putpalette([part for colour in self.palette for part in colour])
        return image

    def _png(self) -> bytes:
        """Return a PNG whose pixels are the numbers of the classes, shown in their colours."""
        data = io.BytesIO()
        self._indexed().save(data, "PNG")
        return data.getvalue()


def decode_mask(result: Mask, frame: Frame) -> MaskResult:
    """Return the likeliest class where the scores are, carried to the pixels of the picture."""
    np = require("numpy", extra="images")
    scores = frame.outputs[result.scores][0]
    labels = _likeliest(
        scores if result.layout == "nchw" else np.ascontiguousarray(np.moveaxis(scores, -1, 0))
    )
    if frame.placement is not None:
        labels = labels_on_picture(labels, frame.placement, result.background or 0)
    palette = result.palette or tuple(colour_of(number) for number in range(len(result.classes)))
    return MaskResult(labels, result.classes, palette, result.background)


def _likeliest(scores: np.ndarray) -> np.ndarray:
    """Return the class of most score of each pixel, uint8: (classes, H, W) -> (H, W).

    Class by class, and without branches: ``argmax`` over an axis so short takes three times as long.
    """
    np = require("numpy", extra="images")
    most, last = scores.max(axis=0), len(scores) - 1
    left = np.zeros(scores.shape[1:], dtype=np.uint8)  # classes behind the likeliest
    for number in range(last):
        np.maximum(left, (scores[number] == most).view(np.uint8) * np.uint8(last - number), out=left)
    return np.uint8(last) - left
