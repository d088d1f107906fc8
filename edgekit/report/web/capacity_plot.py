"""Frames per second over how fast the core is, a line for each cluster, as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.report.axes import Axis, axis_from_zero
from edgekit.report.grid import grid
from edgekit.report.labels import Box, width_of
from edgekit.report.svg import HEAD, HORIZONTAL, LINE, RECT, TEXT, VERTICAL, path, px, svg, symbol
from edgekit.report.units import short
from edgekit.report.web.content import Case
from edgekit.report.web.words import tip_of
from runtime.web.interaction.rows import HELD_SHARE, GestureRow

HEIGHT = 330.0
_CAPACITY = "capacity of the core at its clock, of 1024"


def draw_capacity(case: Case, width: float) -> str:
    """Return the plot of a case that knows a capacity as an SVG element of ``width`` x ``HEIGHT``."""
    rows = [row for row in case.rows if row.capacity]
    box = Box(58, 14, width - 14, HEIGHT - 44)
    x = axis_from_zero(max(row.capacity or 0.0 for row in rows), box.left, box.right, int(width // 90))
    rates = [choice.fps for choice in case.choices]
    y = axis_from_zero(max(*rates, *(case.bounds_fps(row)[1] for row in rows)), box.bottom, box.top, 7)
    parts = [*grid(x, y, box, _CAPACITY, "frames per second displayed"), *_rates(rates, y, box)]
    for number, cluster in enumerate(case.clusters):
        mine = [row for row in rows if row.setting.cluster == cluster]
        parts += _line(case, mine, f"g{number % 6}", x, y)
    title = f"frames per second of {len(rows)} settings over the capacity of their cores"
    return svg(HEAD, px(width), px(HEIGHT), title) + svg("\n").join(parts) + svg("</svg>")


def _rates(rates: Sequence[float], y: Axis, box: Box) -> list[str]:
    """Return the band in which each rate counts as held, and its name."""
    parts = []
    for fps in rates:
        top, floor = y.place(fps), y.place(HELD_SHARE * fps)
        name = f"{short(fps)} FPS: held from {short(HELD_SHARE * fps)}"
        parts.append(svg(RECT, "enough", *map(px, (box.left, top, box.right - box.left, floor - top))))
        parts.append(svg(HORIZONTAL, "target", px(floor), px(box.left), px(box.right)))
        parts.append(
            svg(TEXT, "target-name", px(box.right - width_of(name, is_bold=True) - 4), px(floor + 15), name)
        )  # below its line: points lie on or above it
    return parts


def _line(case: Case, rows: Sequence[GestureRow], style: str, x: Axis, y: Axis) -> list[str]:
    ordered = sorted(rows, key=lambda row: row.capacity or 0.0)
    places = [(x.place(row.capacity or 0.0), y.place(row.fps)) for row in ordered]
    parts = [svg(LINE, f"curve {style}", path(places))]
    for row, (at, _) in zip(ordered, places, strict=True):
        if row.runs > 1:
            ends = [px(y.place(fps)) for fps in case.bounds_fps(row)]
            parts.append(svg(VERTICAL, f"interval {style}", px(at), *ends))
    for row, place in zip(ordered, places, strict=True):
        attributes = svg('class="point {}" data-tip="{}"', style, tip_of(case, row))
        parts.append(symbol(0, *place, 4.2, attributes))
    return parts
