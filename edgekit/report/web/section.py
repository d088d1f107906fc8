"""What the report shows of one gesture on one page on one target, in the form the template takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from edgekit.report.page import data_address
from edgekit.report.pareto import Plot, draw
from edgekit.report.section import NARROW, WIDE
from edgekit.report.svg import trusted
from edgekit.report.web.capacity_plot import draw_capacity
from edgekit.report.web.content import Case
from edgekit.report.web.energy_plot import energy_plot
from edgekit.report.web.gesture_timeline import Trace, draw_gesture, trace_of
from edgekit.report.web.words import names_of, setting_of
from runtime.measure.records import Record
from runtime.web.frames.films import Film
from runtime.web.interaction.rows import GestureRow

ROLES = ("main", "compositor", "raster", "viz", "io", "other")
HALF = 500.0  # width of a drawing that another stands beside
_ENERGY_HEIGHT = 380.0


@dataclass(frozen=True)
class Drawing:
    """A drawing as markup, for wide and narrow screens."""

    wide: Any
    narrow: Any


@dataclass(frozen=True)
class Moment:
    """A picture of a film, as an address that holds it."""

    at_s: float
    age_ms: float
    address: str


@dataclass(frozen=True)
class Example:
    """A setting that is shown at work.

    Attributes:
        title: why it is shown, and which it is.
        row: its runs.
        trace: of the run in their middle.
        drawing: of that.
        moments: pictures of it; empty where it was not filmed.
    """

    title: str
    row: GestureRow
    trace: Trace
    drawing: Drawing
    moments: tuple[Moment, ...]


@dataclass(frozen=True)
class WebSection:
    """One case.

    Attributes:
        capacity: frame rates over capacity; ``None`` where no core's is known.
        plot: powers over frame rates, and ``energy`` its drawing; ``None`` where no power is known.
        examples: the fastest setting, and the cheapest that holds a rate.
        roles: of threads that worked.
    """

    case: Case
    capacity: Drawing | None
    plot: Plot | None
    energy: Drawing | None
    examples: tuple[Example, ...]
    roles: tuple[str, ...]

    @property
    def most_work_ms(self) -> float:
        """Work of a frame where it is most: bars of threads are drawn on its scale."""
        # Of a gesture that showed next to nothing, all work counts as that of a frame or two.
        return max((row.frame_work_ms for row in self.case.rows if row.fps >= 1), default=0.0) or 1.0

    @property
    def unstable(self) -> tuple[GestureRow, ...]:
        return tuple(row for row in self.case.rows if row.reasons)

    @property
    def is_filmed(self) -> bool:
        return any(example.moments for example in self.examples)


def section_of(case: Case) -> WebSection:
    """Return what there is to show of ``case``."""
    plot = energy_plot(case)
    rows = dict(_shown(case))
    traces = {setting: trace_of(_middle_run(case, row)) for setting, (_, row) in rows.items()}
    everyone = list(traces.values())
    examples = [
        Example(
            title,
            row,
            traces[setting],
            drawing(partial(draw_gesture, traces[setting], everyone), HALF),
            _moments(case, row),
        )
        for setting, (title, row) in rows.items()
    ]
    return WebSection(
        case=case,
        capacity=drawing(partial(draw_capacity, case)) if case.knows_capacity else None,
        plot=plot,
        energy=None if plot is None else drawing(lambda width: draw(plot, width, _ENERGY_HEIGHT)),
        examples=tuple(examples),
        roles=tuple(role for role in ROLES if any(row.work_ms.get(role, 0.0) > 0 for row in case.rows)),
    )


def drawing(draw_at: Callable[[float], str], wide: float = WIDE) -> Drawing:
    """Return what ``draw_at`` draws, ``wide`` for wide screens."""
    return Drawing(trusted(draw_at(wide)), trusted(draw_at(NARROW)))


def _shown(case: Case) -> list[tuple[object, tuple[str, GestureRow]]]:
    """Return the fastest setting and those chosen, or else the slowest; each once, with its name."""
    fastest = case.fastest
    found = {fastest.setting: ("fastest", fastest)}
    for row in case.chosen:
        name = names_of([choice for choice in case.choices if choice.row == row])
        before = f"{found[row.setting][0]}, " if row.setting in found else ""
        found[row.setting] = (before + name, row)
    if len(found) == 1 and len(case.rows) > 1:
        slowest = min(case.rows, key=lambda row: row.fps)
        found.setdefault(slowest.setting, ("slowest", slowest))
    return [(setting, (f"{setting_of(row)}: {name}", row)) for setting, (name, row) in found.items()]


def _middle_run(case: Case, row: GestureRow) -> Record:
    """Return the run in the middle by frame rate, of those without Chrome's reports if there are any."""
    mine = [record for record in case.records if record.setting == row.setting]
    plain = [record for record in mine if record.gesture and not record.gesture.is_detailed] or mine
    return sorted(plain, key=lambda record: record.fps)[len(plain) // 2]


def _moments(case: Case, row: GestureRow) -> tuple[Moment, ...]:
    film: Film | None = next((film for film in case.films if film.setting == row.setting), None)
    if film is None:
        return ()
    return tuple(
        Moment(
            picture.at_ms / 1000,
            picture.age_ms,
            data_address("image/jpeg", picture.jpeg),
        )
        for picture in film.pictures
    )
