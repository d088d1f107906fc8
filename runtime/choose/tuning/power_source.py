"""Where a tuner gets power: the target's tables, or what a meter read while each setting was benched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from runtime.choose.policy.estimate import Option
from runtime.device.soc import PowerFigure
from runtime.device.soc.unmeasured import fill
from runtime.measure.records import Record

if TYPE_CHECKING:
    from runtime.targets import Target

PowerSource = Callable[[Option], PowerFigure | None]


def power_source(target: Target, benched: Mapping[Option, Record]) -> PowerSource:
    """Return a function that gives the power in mW under an option while busy, over the idle machine.

    The target's table goes first. Without one a record's meter reading counts: net of the idle machine
    where that was read, else gross, and the figure's source says which. A clock that was not benched
    is filled in from the metered ones, as ``runtime.device.soc.unmeasured`` does it with a table's.
    """
    metered = {option: _metered(record) for option, record in benched.items()}
    figures = {option: figure for option, figure in metered.items() if figure is not None}

    def power(option: Option) -> PowerFigure | None:
        return target.power(option.setting) or figures.get(option) or _filled(option, figures)

    return power


def idle_mw(records: Iterable[Record]) -> float | None:
    """Return the median power of the idle machine that meters read around these records, if any did."""
    found = [r.energy.idle_mw for r in records if r.energy is not None and r.energy.idle_mw is not None]
    return median(found) if found else None


def _metered(record: Record) -> PowerFigure | None:
    reading = record.energy
    if reading is not None and reading.net_mw is not None and reading.net_mw > 0:
        source = f"{reading.provenance}: {reading.source}; net of the idle machine"
        return PowerFigure(reading.net_mw, source, basis=reading.basis)
    if record.power_mw is None:
        return None
    basis = None if reading is None else reading.basis
    return PowerFigure(record.power_mw, record.energy_source, is_gross=reading is not None, basis=basis)


def _filled(option: Option, figures: Mapping[Option, PowerFigure]) -> PowerFigure | None:
    """Return the power at a clock that was not metered, from the option's other clocks that were."""
    freq_khz = option.setting.freq_khz
    ladder = {
        other.setting.freq_khz: figure
        for other, figure in figures.items()
        if replace(other, setting=replace(other.setting, freq_khz=freq_khz)) == option
        and other.setting.freq_khz is not None
    }
    filled = None if freq_khz is None else fill({khz: f.power_mw for khz, f in ladder.items()}, freq_khz)
    if filled is None:
        return None
    one = next(iter(ladder.values()))
    return replace(one, power_mw=filled.power_mw, source=f"modelled: {filled.how} of {one.source}")
