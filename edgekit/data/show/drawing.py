"""One example with all that is known of it, drawn by what draws results of the same kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from edgekit.data.dataset import Dataset, Split
from edgekit.data.fields import Boxes, Caption, Fields, Keypoints, Label, Mask
from runtime.processing.results.boxes import BoxesResult, Found
from runtime.processing.results.colours import colour_of
from runtime.processing.results.keypoints import KeypointsResult, Point
from runtime.processing.results.mask import MaskResult


def draw_example(
    dataset: Dataset, split: Split, index: int, side: int
) -> tuple[list[Image.Image], list[str]]:
    """Return the frames of an example, of a picture one, and lines of text to stand below them.

    Args:
        side: that a frame has at least, in pixels: small images grow by a whole factor.
    """
    pixels = np.rint(split.images[np.array([index])][0]).astype(np.uint8)  # (H, W, C) or (T, H, W, C)
    scale = max(1, -(-side // pixels.shape[-2]))
    frames = [_picture(one, scale) for one in (pixels if pixels.ndim == 4 else pixels[None])]
    labels = split.labels
    if isinstance(labels, Fields):
        pen = _Pen(labels, labels[index], dataset.labels, scale)
        return [pen.draw(frame, number) for number, frame in enumerate(frames)], pen.lines()
    if split.has_masks:
        names = dataset.labels
        return [_mask(Mask(), labels[index], names, scale).draw(frames[0])], []
    if labels.dtype.names is not None:
        return frames, []
    return frames, [_name(dataset.labels, int(labels[index]))]


class _Pen:
    """Draws the fields of one example, those of areas below those of lines.

    Args:
        known: the example's fields.
        names: of the dataset's classes.
        scale: pixels of the drawing for one of the image.
    """

    def __init__(self, fields: Fields, known: np.void, names: Sequence[str], scale: int):
        self.fields, self.known, self.names, self.scale = fields, known, names, scale
        self.drawn_with_boxes = {
            kind.classes for kind in fields.kinds.values() if isinstance(kind, Boxes) and kind.classes
        }

    def draw(self, frame: Image.Image, number: int) -> Image.Image:
        """Return frame ``number`` with what is known of places in it."""
        for kind in (Mask, Boxes, Keypoints):
            for name, field in self.fields.kinds.items():
                if isinstance(field, kind):
                    values = self.known[name]
                    of_clip = isinstance(field, Mask) and values.ndim == 3
                    frame = self._draw(field, values[number] if of_clip else values, frame)
        return frame

    def lines(self) -> list[str]:
        """Return what has no place in the image, in words."""
        lines = []
        for name, field in self.fields.kinds.items():
            values = np.atleast_1d(self.known[name])
            if isinstance(field, Caption):
                sentences = values.reshape(-1, values.shape[-1])
                told = [" ".join(field.words[word] for word in row if word >= 0) for row in sentences]
                lines += [sentence for sentence in told if sentence]
            elif isinstance(field, Label) and name not in self.drawn_with_boxes:
                names = field.names or self.names
                lines.append(f"{name}: {', '.join(_name(names, int(one)) for one in values.ravel())}")
        return lines

    def _draw(self, field: Any, values: np.ndarray, frame: Image.Image) -> Image.Image:
        if isinstance(field, Mask):
            return _mask(field, values, self.names, self.scale).draw(frame)
        if isinstance(field, Boxes):
            return self._boxes(field, values, frame)
        for points in values.reshape(-1, len(field.points), 3):
            found = [
                Point(name, float(x * self.scale), float(y * self.scale), 1.0) if seen > 0 else None
                for name, (x, y, seen) in zip(field.points, points, strict=True)
            ]
            frame = KeypointsResult(tuple(found), field.bones, *frame.size).draw(frame)
        return frame

    def _boxes(self, field: Boxes, values: np.ndarray, frame: Image.Image) -> Image.Image:
        boxes = values.reshape(-1, 4) * self.scale
        numbers = self.known[field.classes].ravel() if field.classes else np.zeros(len(boxes), int)
        found = [
            Found(
                _name(self.names, int(number)) if field.classes else "",
                int(number),
                None,
                tuple(box.tolist()),
            )
            for box, number in zip(boxes, numbers, strict=True)
            if box[2] > box[0] and box[3] > box[1]
        ]
        return BoxesResult(tuple(found), *frame.size).draw(frame)


def _mask(field: Mask, values: np.ndarray, names: Sequence[str], scale: int) -> MaskResult:
    classes = field.names or tuple(names)
    palette = field.palette or tuple(colour_of(number) for number in range(len(classes)))
    grown = np.ascontiguousarray(values.repeat(scale, axis=0).repeat(scale, axis=1))
    return MaskResult(grown, classes, palette, field.background)


def _picture(pixels: np.ndarray, scale: int) -> Image.Image:
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("RGB")
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def _name(names: Sequence[str], number: int) -> str:
    return names[number] if 0 <= number < len(names) else str(number)
