"""One gesture over time, drawn as SVG: the finger, each displayed frame, the gaps, clock and power."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.report.axes import Axis, axis_from_zero
from edgekit.report.grid import grid_rows, nothing
from edgekit.report.labels import Box
from edgekit.report.svg import HEAD, HORIZONTAL, LINE, RECT, TEXT, TURNED, VERTICAL, path, px, svg
from runtime.measure.records import Record

LONG_REFRESHES = 3.0  # a gap above so many is seen as a stutter, whatever the frame rate
_PANELS = (("input", 16.0), ("frames", 22.0), ("gap, ms", 110.0), ("MHz", 52.0), ("mW", 52.0))
_GAP, _LEFT, _RIGHT, _TOP, _BOTTOM = 14.0, 64.0, 14.0, 6.0, 44.0
HEIGHT = _TOP + sum(high for _, high in _PANELS) + _GAP * (len(_PANELS) - 1) + _BOTTOM


@dataclass(frozen=True)
class Trace:
    """What happened during a gesture.

    Attributes:
        gaps_ms: between displayed frames, from when the first was due to when the last could be.
        refresh_hz: of the display.
        clock_mhz, power_mw: as they were from a time on, in s since the gesture began; empty where unknown.
        input: what the finger did, in words.
        spans_s: its movements, each from and to; empty: one for all the time.
        clusters: of each clock, the number of its cluster's colour; empty: one cluster.
    """

    gaps_ms: tuple[float, ...]
    refresh_hz: float
    clock_mhz: tuple[tuple[float, float], ...]
    power_mw: tuple[tuple[float, float], ...]
    input: str
    spans_s: tuple[tuple[float, float], ...] = ()
    clusters: tuple[int, ...] = ()

    @property
    def long_ms(self) -> float:
        """Gaps above it are long."""
        return LONG_REFRESHES * 1000.0 / self.refresh_hz

    @property
    def long_gaps(self) -> int:
        return sum(gap > self.long_ms for gap in self.gaps_ms)

    @property
    def duration_s(self) -> float:
        return sum(self.gaps_ms) / 1000


def trace_of(record: Record) -> Trace:
    """Return what is known of a measured run: its clock was held, and its power is a mean."""
    figures = record.gesture
    assert figures is not None
    khz = (record.setting_read or record.setting).freq_khz
    return Trace(
        record.samples_ms,
        figures.refresh_hz,
        () if khz is None else ((0.0, khz / 1000),),
        () if record.power_mw is None else ((0.0, record.power_mw),),
        f"{figures.kind}, {figures.speed:g} px/s by {figures.source}"
        + (", back and forth" if figures.turned else ""),
    )


def draw_gesture(trace: Trace, all_traces: Sequence[Trace], width: float) -> str:
    """Return a gesture as an SVG element of ``width`` x ``HEIGHT``.

    Args:
        all_traces: those that stand beside each other, on the same scales.
    """
    boxes = _boxes(width)
    end_s = max(each.duration_s for each in all_traces)
    x = axis_from_zero(end_s / 1.06, boxes[0].left, boxes[0].right, int((width - _LEFT) // 60))
    parts = []
    for (name, _), box in zip(_PANELS, boxes, strict=True):
        if name in ("input", "frames"):
            parts.append(svg(TEXT, "tick end", px(box.left - 7), px((box.top + box.bottom) / 2 + 4), name))
        else:
            parts.append(svg(TURNED, 13, px((box.top + box.bottom) / 2), name))
    ends_ms = list(itertools.accumulate(trace.gaps_ms))
    parts += _input(trace, x, boxes[0])
    # The last gap ends with the gesture, not with a frame.
    parts += [svg(VERTICAL, "tick-mark", px(x.place(ms / 1000)), px(boxes[1].top), px(boxes[1].bottom))
              for ms in ends_ms[:-1]]  # fmt: skip
    parts += _gaps(trace, all_traces, x, boxes[2])
    for box, name in ((boxes[3], "clock_mhz"), (boxes[4], "power_mw")):
        colours = trace.clusters if name == "clock_mhz" else ()
        every = [getattr(each, name) for each in all_traces]
        parts += _steps(getattr(trace, name), every, trace, x, box, colours)
    below = boxes[-1].bottom
    parts += [svg(TEXT, "tick mid", px(x.place(t)), px(below + 17), f"{t:.6g}") for t in x.ticks]
    middle = px((boxes[0].left + boxes[0].right) / 2)
    parts.append(svg(TEXT, "axis mid", middle, px(below + 37), "seconds since frames were due"))
    title = f"{len(trace.gaps_ms) - 1} frames of a gesture over time, {trace.long_gaps} long gaps"
    return svg(HEAD, px(width), px(HEIGHT), title) + svg("\n").join(parts) + svg("</svg>")


def _boxes(width: float) -> list[Box]:
    top, boxes = _TOP, []
    for _, height in _PANELS:
        boxes.append(Box(_LEFT, top, width - _RIGHT, top + height))
        top += height + _GAP
    return boxes


def _input(trace: Trace, x: Axis, box: Box) -> list[str]:
    spans = [
        (x.place(max(begin_s, 0.0)), x.place(min(end_s, trace.duration_s)))
        for begin_s, end_s in trace.spans_s or ((0.0, trace.duration_s),)
    ]
    return [
        *(
            svg(RECT, "finger", *map(px, (left, box.top, max(right - left, 0.6), box.bottom - box.top)))
            for left, right in spans
        ),
        svg(TEXT, "key", px(box.left + 6), px(box.bottom - 4), trace.input),
    ]


def _gaps(trace: Trace, all_traces: Sequence[Trace], x: Axis, box: Box) -> list[str]:
    y = axis_from_zero(max(max(each.gaps_ms) for each in all_traces), box.bottom, box.top, 4)
    parts, begin_ms = grid_rows(y, box), 0.0
    for gap_ms in trace.gaps_ms:
        end_ms = begin_ms + gap_ms
        left, right, top = x.place(begin_ms / 1000), x.place(end_ms / 1000), y.place(gap_ms)
        style = "late" if gap_ms > trace.long_ms else "quick"
        parts.append(svg(RECT, style, *map(px, (left, top, max(right - left, 0.6), box.bottom - top))))
        begin_ms = end_ms
    refresh = px(y.place(1000.0 / trace.refresh_hz))
    return [*parts, svg(HORIZONTAL, "target", refresh, px(box.left), px(box.right))]


def _steps(
    steps: Sequence[tuple[float, float]],
    all_steps: Sequence[Sequence[tuple[float, float]]],
    trace: Trace,
    x: Axis,
    box: Box,
    colours: Sequence[int] = (),
) -> list[str]:
    if not steps:
        return nothing(box, "not known here")
    most = max(value for each in all_steps for _, value in each)
    y = axis_from_zero(max(most, 1e-9), box.bottom, box.top, 2)
    ends_s = [*(at_s for at_s, _ in steps[1:]), trace.duration_s]
    lines: list[tuple[str, list[tuple[float, float]]]] = []
    for number, ((at_s, value), until_s) in enumerate(zip(steps, ends_s, strict=True)):
        style = f"curve g{colours[number] % 6}" if colours else "trace"
        if not lines or lines[-1][0] != style:
            lines.append((style, []))
        lines[-1][1].extend(((x.place(at_s), y.place(value)), (x.place(until_s), y.place(value))))
    return [*grid_rows(y, box), *(svg(LINE, style, path(places)) for style, places in lines)]
