"""Power over frames per second of a gesture, with the settings chosen: points of the report's plot."""

from __future__ import annotations

from edgekit.report.frontier import Point
from edgekit.report.pareto import Mark, Plot
from edgekit.report.units import short
from edgekit.report.web.content import Case
from edgekit.report.web.words import names_of, tip_of
from runtime.web.interaction.rows import HELD_SHARE

_LOWEST = 0.6  # of the lowest rate: two unlike runs reach down to next to nothing, and would stretch the axis
POWER = "mean power while the gesture lasts, mW"


def energy_plot(case: Case) -> Plot | None:
    """Return the plot of one case; ``None`` where no power is known."""
    rows = [row for row in case.rows if row.power_mw and row.fps > 0]
    if not rows:
        return None
    lowest_fps = _LOWEST * min(row.fps for row in rows)
    points = tuple(
        Point(
            group=row.setting.cluster,
            kind=case.gesture,
            ladder=row.setting.cluster,
            fps=row.fps,
            cost=row.power_mw or 0.0,
            tip=tip_of(case, row),
            fps_low=max(case.bounds_fps(row)[0], lowest_fps) if row.runs > 1 else None,
            fps_high=case.bounds_fps(row)[1] if row.runs > 1 else None,
        )
        for row in rows
    )
    marks = []
    for row in case.chosen:
        name = names_of([choice for choice in case.choices if choice.row == row])
        marks.append(Mark(name, row.fps, row.power_mw or 0.0, tip_of(case, row), is_chosen=True))
    held = next((choice.fps for choice in case.choices if choice.row is not None), None)
    return Plot(
        points,
        tuple(marks),
        POWER,
        None if held is None else HELD_SHARE * held,
        "" if held is None else f"holds {short(held)} FPS",
        "frames per second displayed",
    )
