"""The plot of the report: frames per second against energy, one point per setting, drawn as SVG."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.report.axes import Axis, make_axis
from edgekit.report.frontier import Point, frontier
from edgekit.report.grid import grid
from edgekit.report.labels import Box, Label, along, lead_to, place_label, width_of
from edgekit.report.svg import HEAD, HORIZONTAL, LINE, RECT, TEXT, VERTICAL, path, px, svg, symbol

_RADIUS = {True: 9, False: 7}  # of the ring of a mark, by whether it is the chosen one
_RING = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (0.7, -0.7), (-0.7, 0.7), (-0.7, -0.7)]


@dataclass(frozen=True)
class Mark:
    """A named place in the plot: the chosen setting or a baseline."""

    name: str
    fps: float
    cost: float
    tip: str
    is_chosen: bool = False


@dataclass(frozen=True)
class Plot:
    """What is to be drawn.

    Attributes:
        cost_label: names the vertical axis, with its unit.
        target_fps: where enough begins; ``target_name`` stands beside it.
        fps_label: names the horizontal axis.
    """

    points: tuple[Point, ...]
    marks: tuple[Mark, ...]
    cost_label: str
    target_fps: float | None = None
    target_name: str = ""
    fps_label: str = "frames per second the setting can do"

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the groups in order of their first point."""
        return tuple(dict.fromkeys(point.group for point in self.points))

    @property
    def shows_intervals(self) -> bool:
        """Return whether any interval can be seen."""
        return any(point.interval is not None for point in self.points)

    @property
    def frontiers(self) -> tuple[list[Point], ...]:
        """Return the points of each group that none of it beats in both FPS and cost."""
        return tuple(frontier([p for p in self.points if p.group == group]) for group in self.groups)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds in order of their first point."""
        return tuple(dict.fromkeys(point.kind for point in self.points))


def draw(plot: Plot, width: float, height: float) -> str:
    """Return ``plot`` as an SVG element (markup, every text escaped).

    Raises:
        ValueError: there is no point, or a figure is not positive.
    """
    frame = Box(58, 26, width - 14, height - 44)
    x, y = _axes(plot, frame)
    parts = [
        *_target(plot, x, frame),
        *grid(x, y, frame, plot.fps_label, plot.cost_label),
        *_ladders(plot, x, y),
        *_frontiers(plot, x, y),
        *_intervals(plot, x, y),
        *_points(plot, x, y),
        *_marks(plot, x, y, frame),
    ]
    title = f"{plot.cost_label} against frames per second of {len(plot.points)} settings"
    return svg(HEAD, px(width), px(height), title) + svg("\n").join(parts) + svg("</svg>")


def _axes(plot: Plot, frame: Box) -> tuple[Axis, Axis]:
    places = [*plot.points, *plot.marks]
    all_fps = [place.fps for place in places] + ([plot.target_fps] if plot.target_fps else [])
    bounds = [bound for p in plot.points for bound in (p.fps_low, p.fps_high) if bound is not None]
    x = make_axis(all_fps + bounds, frame.left, frame.right, most_ticks=int((frame.right - frame.left) // 52))
    y = make_axis([place.cost for place in places], frame.bottom, frame.top, most_ticks=7)
    return x, y


def _target(plot: Plot, x: Axis, frame: Box) -> list[str]:
    if plot.target_fps is None:
        return []
    at = x.place(plot.target_fps)
    reach = width_of(plot.target_name, is_bold=True) / 2
    middle = min(max(at, frame.left + reach), frame.right - reach)  # above the plot: nothing is covered there
    return [
        svg(
            RECT,
            "enough",
            *map(px, (at, frame.top, frame.right - at, frame.bottom - frame.top)),
        ),
        svg(VERTICAL, "target", *map(px, (at, frame.top, frame.bottom))),
        svg(
            TEXT,
            "target-name mid",
            px(middle),
            px(frame.top - 8),
            plot.target_name,
        ),
    ]


def _ladders(plot: Plot, x: Axis, y: Axis) -> list[str]:
    parts = []
    for points in _by_ladder(plot):
        group = plot.groups.index(points[0].group)
        line = path([(x.place(p.fps), y.place(p.cost)) for p in points])
        parts.append(svg(LINE, f"ladder g{group % 6}", line))
    return parts


def _frontiers(plot: Plot, x: Axis, y: Axis) -> list[str]:
    parts = []
    for group, best in enumerate(plot.frontiers):
        line = path([(x.place(p.fps), y.place(p.cost)) for p in best])
        parts.append(svg(LINE, f"frontier g{group % 6}", line))
    return parts


def _intervals(plot: Plot, x: Axis, y: Axis) -> list[str]:
    parts = []
    for point in plot.points:
        if point.interval is not None:
            style = f"interval g{plot.groups.index(point.group) % 6}"
            ends = [px(x.place(fps)) for fps in point.interval]
            parts.append(svg(HORIZONTAL, style, px(y.place(point.cost)), *ends))
    return parts


def _points(plot: Plot, x: Axis, y: Axis) -> list[str]:
    parts = []
    best = {id(point) for points in plot.frontiers for point in points}
    for point in plot.points:
        group, kind = plot.groups.index(point.group), plot.kinds.index(point.kind)
        beaten = "" if id(point) in best else " beaten"
        attributes = svg('class="point g{}{}" data-tip="{}"', group % 6, beaten, point.tip)
        parts.append(symbol(kind, x.place(point.fps), y.place(point.cost), 4.2, attributes))
    return parts


def _marks(plot: Plot, x: Axis, y: Axis, frame: Box) -> list[str]:
    at = _occupied(plot, x, y)
    parts, labels = [], []
    taken: list[Box] = []
    for mark in sorted(plot.marks, key=lambda m: not m.is_chosen):
        mx, my = x.place(mark.fps), y.place(mark.cost)
        label = place_label(mark.name, mx, my, frame, taken, at, is_bold=mark.is_chosen)
        taken.append(label.box)
        at = np.vstack([at, lead_to(label.box, mx, my)])
        labels.append(_name(label, mx, my, mark.is_chosen))
        style = "chosen" if mark.is_chosen else "baseline"
        ring = '<circle class="mark {}" cx="{}" cy="{}" r="{}" data-tip="{}"/>'
        parts.append(svg(ring, style, px(mx), px(my), _RADIUS[mark.is_chosen], mark.tip))
    return parts + labels


def _occupied(plot: Plot, x: Axis, y: Axis) -> np.ndarray:
    """Return what a label must not cover: points, rings of marks, curves, intervals; shape (n, 2)."""
    at = [(x.place(p.fps), y.place(p.cost)) for p in plot.points]
    for mark in plot.marks:
        mx, my, radius = x.place(mark.fps), y.place(mark.cost), _RADIUS[mark.is_chosen]
        at += [(mx + radius * dx, my + radius * dy) for dx, dy in _RING]
    for curve in (*_by_ladder(plot), *plot.frontiers):
        at += along([(x.place(p.fps), y.place(p.cost)) for p in curve])
    for point in plot.points:
        at += along([(x.place(fps), y.place(point.cost)) for fps in point.interval or ()])
    return np.array(at)


def _by_ladder(plot: Plot) -> list[list[Point]]:
    ladders: dict[str, list[Point]] = {}
    for point in sorted(plot.points, key=lambda p: p.fps):
        ladders.setdefault(point.ladder, []).append(point)
    return list(ladders.values())


def _name(label: Label, x: float, y: float, is_chosen: bool) -> str:
    near = lead_to(label.box, x, y)[-1]
    lead = svg('<line class="lead" x1="{}" y1="{}" x2="{}" y2="{}"/>', *map(px, (x, y, *near)))
    return lead + svg(TEXT, "name chosen" if is_chosen else "name", px(label.x), px(label.y), label.text)
