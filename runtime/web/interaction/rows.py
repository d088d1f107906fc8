"""All runs of a gesture on a page under a setting in one row, and the cheapest row that is smooth enough."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.device.setting import Setting
from runtime.measure.gesture_figures import GestureFigures
from runtime.measure.interval import Interval, of_runs
from runtime.measure.records import Record
from runtime.measure.verdict import distinct

# Of the target: what shows fewer frames misses it. Camel (arXiv 2005.00749) counts any shortfall; a display
# of 60 Hz shows 59 at best while a gesture begins and ends.
HELD_SHARE = 0.95
MAX_HALF_SHARE = 0.05  # of the interval of the frame rate
_LEAST_FPS = 0.1


@dataclass(frozen=True)
class GestureRow:
    """All runs of one gesture on one page under one setting: medians over them.

    Attributes:
        interval: 95 % of what the frame rate scatters around.
        work_ms: CPU time of a displayed frame by role, in ms of the SoC's fastest core.
        refresh_hz: of the display.
        main_fps, dropped_frames, delayed_pct: of a run of its own with Chrome's reports, as in
            ``GestureFigures``; ``None`` without one.
        power_mw: mean while the gesture lasts.
        energy_mj: of one gesture of ``window_s``.
    """

    page: str
    gesture: str
    target: str
    setting: Setting
    runs: int
    fps: float
    interval: Interval
    longest_gap_ms: float
    main_fps: float | None
    dropped_frames: float | None
    delayed_pct: float | None
    work_ms: dict[str, float]
    capacity: float | None
    refresh_hz: float
    window_s: float
    power_mw: float | None
    energy_mj: float | None
    verdict: str
    reasons: tuple[str, ...]

    @property
    def frame_work_ms(self) -> float:
        """CPU time of a displayed frame over all threads."""
        return sum(self.work_ms.values())

    def holds(self, fps: float) -> bool:
        """Return whether the gesture keeps a frame rate, as far as its runs tell."""
        return self.fps >= HELD_SHARE * fps


def summarise(records: Iterable[Record]) -> list[GestureRow]:
    """Return one row per page, gesture, target and setting, by capacity."""
    groups: dict[tuple[str, str, str, Setting], list[Record]] = {}
    for record in records:
        if record.gesture is not None:
            key = (record.model, record.variant, record.target, record.setting)
            groups.setdefault(key, []).append(record)
    rows = [_row(group) for group in groups.values()]
    return sorted(rows, key=lambda row: (row.page, row.gesture, row.target, -(row.capacity or 0)))


def cheapest(rows: Sequence[GestureRow], fps: float) -> GestureRow | None:
    """Return the row of least power that holds ``fps``; ``None``: none does, or no power is known."""
    holding = [row for row in rows if row.power_mw is not None and row.holds(fps)]
    return min(holding, key=lambda row: row.power_mw or 0.0, default=None)


def _row(group: Sequence[Record]) -> GestureRow:
    every = [record.gesture for record in group if record.gesture is not None]
    detailed = [figure for figure in every if figure.is_detailed]
    figures = [figure for figure in every if not figure.is_detailed] or detailed
    powers_mw = [record.power_mw for record in group if record.power_mw is not None]
    interval = of_runs([max(figure.fps, _LEAST_FPS) for figure in figures])
    unstable = [record for record in group if record.verdict == "unstable"]
    reasons = distinct(reason for record in unstable for reason in record.reasons)
    if len(figures) > 1 and interval.half_share > MAX_HALF_SHARE:
        reasons = (
            f"the frame rate of {len(figures)} runs is known to +-{interval.half_share:.0%} only",
            *reasons,
        )
    first, window_s = group[0], statistics.median(figure.window_s for figure in figures)
    power_mw = statistics.median(powers_mw) if powers_mw else None
    return GestureRow(
        page=first.model,
        gesture=first.variant,
        target=first.target,
        setting=first.setting,
        runs=len(figures),
        fps=statistics.median(figure.fps for figure in figures),
        interval=interval,
        longest_gap_ms=statistics.median(figure.longest_gap_ms for figure in figures),
        main_fps=_median(figure.main_fps for figure in detailed),
        dropped_frames=_median(figure.dropped_frames for figure in detailed),
        delayed_pct=_median(figure.delayed_pct for figure in detailed),
        work_ms=_work_ms(figures),
        capacity=figures[0].capacity,
        refresh_hz=max(figure.refresh_hz for figure in figures),
        window_s=window_s,
        power_mw=power_mw,
        energy_mj=None if power_mw is None else power_mw * window_s,
        verdict="unstable" if reasons else "stable",
        reasons=reasons,
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _work_ms(figures: Sequence[GestureFigures]) -> dict[str, float]:
    return {role: statistics.median(f.work_ms.get(role, 0.0) for f in figures) for role in figures[0].work_ms}
