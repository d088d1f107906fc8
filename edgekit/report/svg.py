"""SVG markup with every text escaped."""

from __future__ import annotations

from typing import Any

from runtime.extras import require

HEAD = '<svg viewBox="0 0 {} {}" role="img" aria-label="{}" class="plot">'
VERTICAL = '<line class="{0}" x1="{1}" x2="{1}" y1="{2}" y2="{3}"/>'
HORIZONTAL = '<line class="{0}" y1="{1}" y2="{1}" x1="{2}" x2="{3}"/>'
TEXT = '<text class="{}" x="{}" y="{}">{}</text>'
TURNED = '<text class="axis mid" transform="translate({} {}) rotate(-90)">{}</text>'
RECT = '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>'
LINE = '<polyline class="{}" points="{}"/>'
SHAPES = ("circle", "square", "triangle", "diamond")


def svg(markup: str, *values: object) -> str:
    """Return ``markup`` with ``values`` filled in, escaped unless they are markup themselves."""
    return trusted(markup).format(*values)


def trusted(markup: str) -> Any:
    """Return ``markup`` of our own as it is: templates do not escape it again."""
    return require("markupsafe", extra="report").Markup(markup)


def px(value: float) -> str:
    """Return a position as SVG has it, to a tenth of a pixel."""
    return f"{value:.1f}"


def path(places: list[tuple[float, float]]) -> str:
    """Return the points of a polyline."""
    return " ".join(f"{px(x)},{px(y)}" for x, y in places)


def symbol(kind: int, x: float, y: float, radius: float, attributes: str = "") -> str:
    """Return the shape of the kind numbered ``kind``; ``attributes`` must be markup already."""
    shape = SHAPES[kind % len(SHAPES)]
    if shape == "circle":
        return svg('<circle cx="{}" cy="{}" r="{}" {}/>', px(x), px(y), px(radius), attributes)
    corners = {
        "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
        "triangle": [(0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
        "diamond": [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)],
    }[shape]
    outline = path([(x + radius * dx, y + radius * dy) for dx, dy in corners])
    return svg('<polygon points="{}" {}/>', outline, attributes)
