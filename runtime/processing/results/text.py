"""Draws of a token to words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.bundle.result import Text
from runtime.extras import require
from runtime.processing.results.colours import ground
from runtime.processing.results.decoded import Frame, Row

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class TextResult:
    """A sentence."""

    text: str

    def table(self) -> tuple[tuple[str, ...], list[Row]]:
        return ("text",), [(self.text,)]

    def plain(self) -> dict[str, Any]:
        return {"result": "text", "text": self.text}

    def draw(self, picture: Image.Image | None) -> Image.Image:
        under = ground(picture, 16 + 7 * len(self.text), 24)
        pen = require("PIL.ImageDraw", extra="images").Draw(under)
        pen.text((4, 4), self.text, fill=(255, 255, 255), stroke_width=1, stroke_fill=(0, 0, 0))
        return under

    def forms(self) -> Mapping[str, Callable[[], bytes]]:
        return {".txt": lambda: f"{self.text}\n".encode()}


def decode_text(result: Text, frame: Frame) -> TextResult:
    """Return the words drawn before the end."""
    draws = list(frame.draws[result.token])
    if result.end in draws:
        draws = draws[: draws.index(result.end)]
    return TextResult(" ".join(result.words[draw] for draw in draws))
