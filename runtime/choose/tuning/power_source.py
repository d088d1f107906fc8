"""Where a tuner gets power: the target's tables, or what a meter read while each setting was benched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from runtime.choose.policy.estimate import Option
from runtime.device.soc import PowerFigure
from runtime.measure.records import Record

if TYPE_CHECKING:
    from runtime.targets import Target

PowerSource = Callable[[Option], PowerFigure | None]


def power_source(target: Target, benched: Mapping[Option, Record]) -> PowerSource:
    """Return a function that gives the power in mW under an option while busy, over the idle machine.

    The target's table goes first. Without one a record's meter reading counts: net of the idle machine
    where that was read, else gross, and the figure's source says which. A clock that was not benched
    lies on a straight line between the two metered ones around it, as in ``runtime.device.soc.power_mw``.
    """
    metered = {option: _metered(record) for option, record in benched.items()}
    figures = {option: figure for option, figure in metered.items() if figure is not None}

    def power(option: Option) -> PowerFigure | None:
        return target.power(option.setting) or figures.get(option) or _between(option, figures)

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


def _between(option: Option, figures: Mapping[Option, PowerFigure]) -> PowerFigure | None:
    """Return the power on the line between the nearest metered clocks below and above, if there are both."""
    clocks = {
        other.setting.freq_khz: figure
        for other, figure in figures.items()
        if replace(other, setting=replace(other.setting, freq_khz=option.setting.freq_khz)) == option
        and other.setting.freq_khz is not None
    }
    khz = option.setting.freq_khz
    if khz is None:
        return None
    low = max((clock for clock in clocks if clock < khz), default=None)
    high = min((clock for clock in clocks if clock > khz), default=None)
    if low is None or high is None:
        return None
    share = (khz - low) / (high - low)
    power_mw = (1.0 - share) * clocks[low].power_mw + share * clocks[high].power_mw
    return PowerFigure(power_mw, f"{clocks[low].source}; between two metered clocks")
