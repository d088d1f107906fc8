"""Boxes and scores to the objects of a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.bundle.result import Boxes
from runtime.extras import require
from runtime.processing.placement import Placement
from runtime.processing.results.colours import colour_of, ground
from runtime.processing.results.decoded import Frame, Row

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_MOST_LOOKED_AT = 1000  # of the best boxes: comparing each with each grows with the square


@dataclass(frozen=True)
class Found:
    """One object: its class, score and left, top, right, bottom in pixels of the picture.

    Attributes:
        score: ``None``: it is not found but known.
    """

    label: str
    number: int
    score: float | None
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class BoxesResult:
    """Objects, the surest first, in a picture of ``width`` times ``height`` pixels."""

    found: tuple[Found, ...]
    width: int
    height: int

    def table(self) -> tuple[tuple[str, ...], list[Row]]:
        rows: list[Row] = [
            (one.label, _percent(one.score, 1), ",".join(f"{side:.0f}" for side in one.box))
            for one in self.found
        ]
        return ("class", "score", "left,top,right,bottom"), rows

    def plain(self) -> dict[str, Any]:
        found = [{"class": one.label, "score": one.score, "box": one.box} for one in self.found]
        return {"result": "boxes", "width": self.width, "height": self.height, "boxes": found}

    def draw(self, picture: Image.Image | None) -> Image.Image:
        under = ground(picture, self.width, self.height)
        pen = require("PIL.ImageDraw", extra="images").Draw(under)
        for one in reversed(self.found):  # the surest on top
            colour = colour_of(one.number)
            pen.rectangle(one.box, outline=colour, width=max(1, max(under.size) // 300))
            text = f"{one.label} {_percent(one.score, 0)}".rstrip()
            pen.text(one.box[:2], text, fill=colour, stroke_width=1, stroke_fill=(0, 0, 0))
        return under

    def forms(self) -> Mapping[str, Callable[[], bytes]]:
        return {}


def _percent(score: float | None, digits: int) -> str:
    return "" if score is None else f"{100 * score:.{digits}f} %"


def decode_boxes(result: Boxes, frame: Frame) -> BoxesResult:
    """Return the boxes above the threshold, the worse of two that overlap left out, on the picture."""
    np = require("numpy", extra="images")
    boxes, scores = frame.outputs[result.boxes][0], frame.outputs[result.scores][0]
    numbers, sure = scores.argmax(axis=-1), scores.max(axis=-1)
    order = np.argsort(-sure, kind="stable")[:_MOST_LOOKED_AT]
    order = order[sure[order] >= result.threshold]
    kept = _suppress(boxes[order].astype(np.float64), numbers[order], result.overlap)[: result.most]
    width, height = 0, 0
    if (placement := frame.placement) is not None:
        boxes, width, height = _on_picture(boxes, placement), placement.width, placement.height
    elif len(boxes):
        boxes = boxes.clip(0, None)
        width, height = (max(1, int(side)) for side in boxes[:, 2:].max(axis=0))
    found = tuple(
        Found(
            result.classes[numbers[index]],
            int(numbers[index]),
            float(sure[index]),
            (float(boxes[index, 0]), float(boxes[index, 1]), float(boxes[index, 2]), float(boxes[index, 3])),
        )
        for index in order[kept]
    )
    return BoxesResult(found, width, height)


def _suppress(boxes: np.ndarray, numbers: np.ndarray, overlap: float) -> list[int]:
    """Return which of ``boxes``, the surest first, overlap no surer one of their class by ``overlap``."""
    np = require("numpy", extra="images")
    areas = np.prod((boxes[:, 2:] - boxes[:, :2]).clip(0), axis=1)
    kept: list[int] = []
    for index in range(len(boxes)):
        others = np.array([k for k in kept if numbers[k] == numbers[index]], dtype=np.intp)
        low = np.maximum(boxes[others, :2], boxes[index, :2])
        high = np.minimum(boxes[others, 2:], boxes[index, 2:])
        shared = np.prod((high - low).clip(0), axis=1)
        union = areas[others] + areas[index] - shared
        if areas[index] > 0 and not (shared >= overlap * union).any():
            kept.append(index)
    return kept


def _on_picture(boxes: np.ndarray, placement: Placement) -> np.ndarray:
    np = require("numpy", extra="images")
    xs, ys = placement.x.to_picture(boxes[:, [0, 2]]), placement.y.to_picture(boxes[:, [1, 3]])
    xs, ys = xs.clip(0, placement.width), ys.clip(0, placement.height)
    return np.stack([xs[:, 0], ys[:, 0], xs[:, 1], ys[:, 1]], axis=1)
