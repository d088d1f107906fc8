"""A row of scores to the likeliest classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.bundle.result import Labels
from runtime.extras import require
from runtime.processing.classify import Guess, top_k
from runtime.processing.results.colours import ground
from runtime.processing.results.decoded import Frame, Row

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class LabelsResult:
    """The likeliest classes, likeliest first."""

    guesses: tuple[Guess, ...]

    def table(self) -> tuple[tuple[str, ...], list[Row]]:
        return ("", "class"), [(f"{100 * one.probability:6.2f} %", one.label) for one in self.guesses]

    def plain(self) -> dict[str, Any]:
        found = [{"class": one.label, "probability": one.probability} for one in self.guesses]
        return {"result": "labels", "classes": found}

    def draw(self, picture: Image.Image | None) -> Image.Image:
        under = ground(picture, 320, 16 * len(self.guesses) + 8)
        lines = "\n".join(f"{100 * one.probability:.1f} % {one.label}" for one in self.guesses)
        pen = require("PIL.ImageDraw", extra="images").Draw(under)
        pen.text((4, 4), lines, fill=(255, 255, 255), stroke_width=1, stroke_fill=(0, 0, 0))
        return under

    def forms(self) -> Mapping[str, Callable[[], bytes]]:
        return {}


def decode_labels(result: Labels, frame: Frame) -> LabelsResult:
    """Return the likeliest classes by name.

    Raises:
        DataError: there are not as many labels as classes.
    """
    return LabelsResult(top_k(frame.outputs[result.scores], result.classes or frame.labels, result.most))
