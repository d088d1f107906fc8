"""How the latencies of one variant under one setting spread: percentiles, a histogram, the cold start."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.report.axes import Axis, make_axis
from edgekit.report.svg import HEAD, VERTICAL, px, svg
from runtime.device.setting import Setting
from runtime.measure.bench.rows import summarise
from runtime.measure.quantile import quantile
from runtime.measure.records import Record

_LEAST_FRAMES = 5  # below that there is no spread to show; a modelled latency is one sample
_BINS = 26
_WIDTH, _HEIGHT = 130.0, 30.0


@dataclass(frozen=True)
class Timing:
    """All frames of one variant under one setting.

    Attributes:
        frames: how many were timed, over all blocks.
        first_ms: the cold frame; ``load_ms``: reading the model file; medians over the blocks, ``None``
            where no block tells.
        memory_mb: most memory that came with the model, likewise ``None``.
        reasons: why the blocks are not stable; empty where they are.
        histogram: an SVG element.
    """

    variant: str
    setting: Setting
    frames: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    first_ms: float | None
    load_ms: float | None
    memory_mb: float | None
    reasons: tuple[str, ...]
    histogram: str


def timings_of(blocks: Sequence[Record]) -> tuple[tuple[Timing, ...], Axis | None]:
    """Return the spread of every variant and setting that was timed often enough, the fastest first.

    With them comes the scale that all histograms share; ``None`` without any.
    """
    groups: dict[tuple[str, Setting], list[Record]] = {}
    for block in blocks:
        groups.setdefault((block.variant, block.setting), []).append(block)
    samples = {key: [ms for block in group for ms in block.samples_ms] for key, group in groups.items()}
    samples = {key: found for key, found in samples.items() if len(found) >= _LEAST_FRAMES}
    if not samples:
        return (), None
    axis = shared_axis(list(samples.values()))
    timings = [_timing(groups[key], found, axis) for key, found in samples.items()]
    return tuple(sorted(timings, key=lambda timing: timing.p50_ms)), axis


def shared_axis(samples: Sequence[Sequence[float]]) -> Axis:
    """Return one scale for all histograms: up to the highest 99th percentile, outliers beyond at its end."""
    low = min(min(found) for found in samples)
    high = max(quantile(found, 0.99) for found in samples)
    return make_axis([low, max(high, low)], 1.0, _WIDTH - 1.0)


def draw_histogram(samples_ms: Sequence[float], axis: Axis) -> str:
    """Return the samples as a small SVG element, their median marked."""
    width = (axis.end - axis.begin) / _BINS
    counts = [0] * _BINS
    for sample in samples_ms:
        counts[min(_BINS - 1, int((axis.place(sample) - axis.begin) / width))] += 1
    floor = _HEIGHT - 1.0
    scale = (floor - 2.0) / max(counts)
    bars = "".join(
        f"M{px(axis.begin + i * width)} {px(floor)}v{px(-scale * count)}h{px(width)}V{px(floor)}z"
        for i, count in enumerate(counts)
        if count
    )
    middle = px(axis.place(statistics.median(samples_ms)))
    title = f"histogram of {len(samples_ms)} frames, {min(samples_ms):.3g} to {max(samples_ms):.3g} ms"
    return (
        svg(HEAD.replace('"plot"', '"hist"'), px(_WIDTH), px(_HEIGHT), title)
        + svg('<path d="M0 {0}h{1}" class="base"/><path d="{2}"/>', px(floor), px(_WIDTH), bars)
        + svg(VERTICAL, "median", middle, "0", px(_HEIGHT))
        + svg("</svg>")
    )


def _timing(group: Sequence[Record], samples_ms: Sequence[float], axis: Axis) -> Timing:
    (row,) = summarise(group)
    load_ms = [block.load_ms for block in group if block.load_ms is not None]
    return Timing(
        variant=row.variant,
        setting=row.setting,
        frames=len(samples_ms),
        p50_ms=row.latency_ms,
        p90_ms=row.p90_ms,
        p99_ms=quantile(samples_ms, 0.99),
        first_ms=row.first_frame_ms,
        load_ms=statistics.median(load_ms) if load_ms else None,
        memory_mb=row.memory_mb,
        reasons=row.reasons if row.verdict == "unstable" else (),
        histogram=draw_histogram(samples_ms, axis),
    )
