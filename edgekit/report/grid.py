"""Grid lines of plots with the figures beside them."""

from __future__ import annotations

from edgekit.report.axes import Axis
from edgekit.report.labels import Box
from edgekit.report.svg import HORIZONTAL, TEXT, TURNED, VERTICAL, px, svg


def grid(x: Axis, y: Axis, box: Box, x_label: str, y_label: str) -> list[str]:
    """Return lines at the ticks of both axes of the plot in ``box``, and their names beside it."""
    parts = []
    for tick in x.ticks:
        at = px(x.place(tick))
        parts.append(svg(VERTICAL, "grid", at, px(box.top), px(box.bottom)))
        parts.append(svg(TEXT, "tick mid", at, px(box.bottom + 17), f"{tick:.6g}"))
    parts += grid_rows(y, box)
    parts.append(svg(TEXT, "axis mid", px((box.left + box.right) / 2), px(box.bottom + 38), x_label))
    parts.append(svg(TURNED, 13, px((box.top + box.bottom) / 2), y_label))
    return parts


def grid_rows(y: Axis, box: Box) -> list[str]:
    """Return lines at the ticks of the vertical axis."""
    parts = []
    for tick in y.ticks:
        at = px(y.place(tick))
        parts.append(svg(HORIZONTAL, "grid", at, px(box.left), px(box.right)))
        parts.append(svg(TEXT, "tick end", px(box.left - 7), px(y.place(tick) + 4), f"{tick:.6g}"))
    return parts


def nothing(box: Box, why: str) -> list[str]:
    """Return what stands where nothing is known."""
    return [svg(TEXT, "mid", px((box.left + box.right) / 2), px((box.top + box.bottom) / 2), why)]
