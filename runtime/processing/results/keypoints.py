"""Heat maps to points of the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.bundle.result import Keypoints
from runtime.extras import require
from runtime.processing.results.colours import colour_of, ground
from runtime.processing.results.decoded import Frame, Row

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Point:
    """A named point in pixels of the picture, and its heat."""

    name: str
    x: float
    y: float
    score: float


@dataclass(frozen=True)
class KeypointsResult:
    """Points in their order, ``None`` where none was found; ``bones`` join two of them by number."""

    points: tuple[Point | None, ...]
    bones: tuple[tuple[int, int], ...]
    width: int
    height: int

    def table(self) -> tuple[tuple[str, ...], list[Row]]:
        rows: list[Row] = [
            (one.name, f"{one.x:.1f}", f"{one.y:.1f}", f"{one.score:.3g}") for one in self.points if one
        ]
        return ("point", "x", "y", "score"), rows

    def plain(self) -> dict[str, Any]:
        points = [{"name": p.name, "x": p.x, "y": p.y, "score": p.score} for p in self.points if p]
        return {"result": "keypoints", "width": self.width, "height": self.height, "points": points}

    def draw(self, picture: Image.Image | None) -> Image.Image:
        under = ground(picture, self.width, self.height)
        pen = require("PIL.ImageDraw", extra="images").Draw(under)
        radius = max(2, max(under.size) // 150)
        for begin, end in self.bones:
            one, other = self.points[begin], self.points[end]
            if one and other:
                pen.line((one.x, one.y, other.x, other.y), fill=colour_of(begin), width=radius)
        for number, point in enumerate(self.points):
            if point:
                x, y = point.x, point.y
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour_of(number))
        return under

    def forms(self) -> Mapping[str, Callable[[], bytes]]:
        return {}


def decode_keypoints(result: Keypoints, frame: Frame) -> KeypointsResult:
    """Return the hottest place of each map, where it is hot enough, on the picture."""
    np = require("numpy", extra="images")
    maps = frame.outputs[result.heatmaps][0]
    high, wide = maps.shape[1:]
    hottest = maps.reshape(len(maps), -1).argmax(axis=1)
    ys, xs = hottest // wide + 0.5, hottest % wide + 0.5
    width, height = wide, high
    if (placement := frame.placement) is not None:
        xs = placement.x.to_picture(xs * (placement.size / wide)).clip(0, placement.width)
        ys = placement.y.to_picture(ys * (placement.size / high)).clip(0, placement.height)
        width, height = placement.width, placement.height
    scores = np.take_along_axis(maps.reshape(len(maps), -1), hottest[:, None], axis=1)[:, 0]
    points = tuple(
        Point(name, float(x), float(y), float(score)) if score >= result.threshold else None
        for name, x, y, score in zip(result.points, xs, ys, scores, strict=True)
    )
    return KeypointsResult(points, result.bones, width, height)
