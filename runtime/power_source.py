"""Where a tuner gets power: the target's tables, or what a meter read while each setting was benched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import TYPE_CHECKING

from runtime.choice import Option
from runtime.records import Record
from runtime.soc import PowerFigure

if TYPE_CHECKING:
    from runtime.targets import Target

PowerSource = Callable[[Option], PowerFigure | None]


def power_source(target: Target, benched: Mapping[Option, Record]) -> PowerSource:
    """Return what tells the power in mW under an option while busy, over the idle machine.

    The target's table goes first. Without one a record's meter reading counts: net of the idle machine
    where that was read, else gross, and the figure's source says which.
    """

    def power(option: Option) -> PowerFigure | None:
        figure = target.power(option.setting)
        if figure is None and option in benched:
            return _metered(benched[option])
        return figure

    return power


def idle_mw(records: Iterable[Record]) -> float | None:
    """Return the median power of the idle machine that meters read around these records, if any did."""
    found = [r.energy.idle_mw for r in records if r.energy is not None and r.energy.idle_mw is not None]
    return median(found) if found else None


def _metered(record: Record) -> PowerFigure | None:
    reading = record.energy
    if reading is not None and reading.net_mw is not None and reading.net_mw > 0:
        return PowerFigure(reading.net_mw, f"{reading.provenance}: {reading.source}; net of the idle machine")
    if record.power_mw is None:
        return None
    return PowerFigure(record.power_mw, record.energy_source)
