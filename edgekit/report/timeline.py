"""A governed run over time, drawn as SVG: latency with misses, frames per second, clock, power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np

from edgekit.report.axes import Axis, axis_from_zero
from edgekit.report.grid import grid_rows, nothing
from edgekit.report.labels import Box
from edgekit.report.svg import HEAD, HORIZONTAL, LINE, RECT, TEXT, TURNED, VERTICAL, path, px, svg

if TYPE_CHECKING:
    from runtime.measure.frame_log import FrameLine, Header

_PANELS = (("latency, ms", 165.0), ("frames / s", 85.0), ("clock, MHz", 125.0), ("power, mW", 105.0))
_GAP = 16.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 14.0, 8.0, 44.0
_WINDOW_S = 1.0
_DOT = '<circle class="{}" cx="{}" cy="{}" r="{}"/>'
HEIGHT = _TOP + sum(height for _, height in _PANELS) + _GAP * (len(_PANELS) - 1) + _BOTTOM


def draw_timeline(header: Header, frames: Sequence[FrameLine], width: float) -> str:
    """Return the run, one frame at least, as an SVG element of ``width`` x ``HEIGHT``; texts are escaped."""
    end_s = max(frame.start_s + frame.latency_ms / 1e3 for frame in frames)
    boxes = _boxes(width)
    ticks = int((boxes[0].right - boxes[0].left) // 60)
    x = axis_from_zero(end_s / 1.06, boxes[0].left, boxes[0].right, ticks)
    parts = _untrusted(frames, x, end_s, boxes)
    for (name, _), box in zip(_PANELS, boxes, strict=True):
        parts += [svg(VERTICAL, "grid", px(x.place(t)), px(box.top), px(box.bottom)) for t in x.ticks]
        parts.append(svg(TURNED, 13, px((box.top + box.bottom) / 2), name))
    parts += _latency(header, frames, x, boxes[0])
    parts += _rate(header, frames, x, boxes[1])
    parts += _clock(frames, x, end_s, boxes[2])
    parts += _power(frames, x, boxes[3])
    below = boxes[-1].bottom
    parts += [svg(TEXT, "tick mid", px(x.place(t)), px(below + 17), f"{t:.6g}") for t in x.ticks]
    middle = (boxes[0].left + boxes[0].right) / 2
    parts.append(svg(TEXT, "axis mid", px(middle), px(below + 37), "seconds since the first frame"))
    title = f"latency, frames per second, clock and power of {len(frames)} frames over time"
    return svg(HEAD, px(width), px(HEIGHT), title) + svg("\n").join(parts) + svg("</svg>")


def since_first(frames: Sequence[FrameLine]) -> list[FrameLine]:
    """Return ``frames`` with times since the first of them: what was set up before is no part of the run."""
    return [replace(frame, start_s=frame.start_s - frames[0].start_s) for frame in frames]


def clusters_of(frames: Sequence[FrameLine]) -> tuple[str, ...]:
    """Return the clusters in order of their first frame; colours follow it."""
    return tuple(dict.fromkeys(frame.cluster for frame in frames))


def _boxes(width: float) -> list[Box]:
    top, boxes = _TOP, []
    for _, height in _PANELS:
        boxes.append(Box(_LEFT, top, width - _RIGHT, top + height))
        top += height + _GAP
    return boxes


def _latency(header: Header, frames: Sequence[FrameLine], x: Axis, box: Box) -> list[str]:
    due_ms = header.deadline_ms or header.period_ms
    highest = max(max(frame.latency_ms for frame in frames), 1.1 * due_ms)
    y = axis_from_zero(highest, box.bottom, box.top, 5)
    parts = grid_rows(y, box)
    parts.append(svg(HORIZONTAL, "target", px(y.place(due_ms)), px(box.left), px(box.right)))
    clusters = clusters_of(frames)
    for frame in _thinned([f for f in frames if not f.late], x):
        at = px(x.place(frame.start_s)), px(y.place(frame.latency_ms))
        parts.append(svg(_DOT, f"dot g{clusters.index(frame.cluster) % 6}", *at, "1.7"))
    for frame in _thinned([f for f in frames if f.late], x):
        parts.append(svg(_DOT, "late", px(x.place(frame.start_s)), px(y.place(frame.latency_ms)), "3.1"))
    return parts


def _thinned(frames: Sequence[FrameLine], x: Axis) -> list[FrameLine]:
    """Return the frames, or of too many only the quickest and the slowest of each pixel."""
    if len(frames) <= 4000:
        return list(frames)
    columns = groupby(frames, key=lambda frame: round(x.place(frame.start_s)))
    ends = (sorted(column, key=lambda frame: frame.latency_ms) for _, column in columns)
    return [frame for column in ends for frame in {id(f): f for f in (column[0], column[-1])}.values()]


def _rate(header: Header, frames: Sequence[FrameLine], x: Axis, box: Box) -> list[str]:
    done_s = np.sort([frame.start_s + frame.latency_ms / 1e3 for frame in frames])
    at_s = _looks(float(done_s[-1]))
    window_s = min(_WINDOW_S, float(done_s[-1]))
    rate = np.array([np.sum((done_s > t - window_s) & (done_s <= t)) for t in at_s]) / window_s
    y = axis_from_zero(max(header.fps_target, float(rate.max(initial=0.0))), box.bottom, box.top, 3)
    line = path([(x.place(t), y.place(r)) for t, r in zip(at_s, rate, strict=True)])
    aim = svg(HORIZONTAL, "target", px(y.place(header.fps_target)), px(box.left), px(box.right))
    return [*grid_rows(y, box), aim, svg(LINE, "trace", line)]


def _clock(frames: Sequence[FrameLine], x: Axis, end_s: float, box: Box) -> list[str]:
    known = [frame.freq_khz for frame in frames if frame.freq_khz is not None]
    if not known:
        return nothing(box, "the kernel chose the clock")
    y = axis_from_zero(max(known) / 1e3, box.bottom, box.top, 4)
    clusters = clusters_of(frames)
    parts, before = grid_rows(y, box), None
    for (cluster, khz), begin_s, until_s in _spans(frames, end_s):
        if khz is None:
            before = None
            continue
        at = y.place(khz / 1e3)
        if before is not None:
            parts.append(svg(VERTICAL, "step", px(x.place(begin_s)), px(before), px(at)))
        style = f"clock g{clusters.index(cluster) % 6}"
        parts.append(svg(HORIZONTAL, style, px(at), px(x.place(begin_s)), px(x.place(until_s))))
        before = at
    return parts


def _spans(frames: Sequence[FrameLine], end_s: float) -> list[tuple[tuple[str, int | None], float, float]]:
    """Return each (cluster, clock) that was held, with when it began and ended."""
    begins = [
        (setting, next(group).start_s)
        for setting, group in groupby(frames, key=lambda frame: (frame.cluster, frame.freq_khz))
    ]
    return [
        (setting, begin_s, until_s)
        for (setting, begin_s), (_, until_s) in pairwise([*begins, (("", None), end_s)])
    ]


def _power(frames: Sequence[FrameLine], x: Axis, box: Box) -> list[str]:
    metered = [frame for frame in frames if frame.energy_mj is not None]
    if not metered:
        return nothing(box, "no power is known here")
    done_s = np.array([frame.start_s + frame.latency_ms / 1e3 for frame in metered])
    energy_mj = np.array([frame.energy_mj for frame in metered])
    at_s = _looks(float(done_s.max()))
    window_s = min(_WINDOW_S, float(done_s.max()))
    mean_mw = [float(energy_mj[(done_s > t - window_s) & (done_s <= t)].sum()) / window_s for t in at_s]
    y = axis_from_zero(max(*mean_mw, 1e-9), box.bottom, box.top, 3)
    line = [(x.place(t), y.place(mw)) for t, mw in zip(at_s, mean_mw, strict=True)]
    area = [(line[0][0], box.bottom), *line, (line[-1][0], box.bottom)]
    return [
        *grid_rows(y, box),
        svg('<polygon class="area" points="{}"/>', path(area)),
        svg(LINE, "trace", path(line)),
    ]


def _looks(end_s: float) -> np.ndarray:
    """Return when to look back over a window: four times a second, from the first full one on."""
    first_s = min(_WINDOW_S, end_s)
    count = max(2, min(1200, int((end_s - first_s) * 4) + 1))
    return np.linspace(first_s, end_s, count)


def _untrusted(frames: Sequence[FrameLine], x: Axis, end_s: float, boxes: Sequence[Box]) -> list[str]:
    begins = [(kept, next(group).start_s) for kept, group in groupby(frames, key=lambda frame: frame.trusted)]
    parts = []
    for (is_trusted, begin_s), (_, until_s) in pairwise([*begins, (True, end_s)]):
        if not is_trusted:
            left, right = x.place(begin_s), x.place(until_s)
            high = boxes[-1].bottom - boxes[0].top
            parts.append(
                svg(RECT, "untrusted", px(left), px(boxes[0].top), px(max(right - left, 1)), px(high))
            )
    return parts
