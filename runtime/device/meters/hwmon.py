"""Power monitors below /sys/class/hwmon: INA2xx and other chips, known by ``name``, never by number.

Units (Documentation/hwmon/sysfs-interface.rst): ``energyN_input`` uJ, ``powerN_input`` and
``powerN_average`` uW, ``inN_input`` mV, ``currN_input`` mA. A rail is read by the first of these
that it has, in that order. Labels are kept as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime.device.meters.arithmetic import power_of_mv_ma
from runtime.device.meters.files import check_readable, need_int
from runtime.device.meters.finding import METERS
from runtime.device.meters.meter import About, Count, CounterMeter, EnergyMeter, PowerMeter
from runtime.device.meters.rails import add_up, pick
from runtime.device.sysfs import read_int, read_text
from runtime.errors import DeviceError, DeviceStableError

FOLDER = Path("sys/class/hwmon")
# Chips that are soldered beside the rails of a board or CPU. GPU, disk, USB and battery sensors have
# the same files and are no energy of a model on the CPU: they are taken only when asked for by name.
_CHIPS = re.compile(r"ina\d+x?|power_meter|scmi_sensors|edgekit.*", re.IGNORECASE)
_INA3221 = re.compile(r"ina3221x?")
_FILE = re.compile(r"(?P<kind>energy|power)(?P<index>\d+)_(?P<what>input|average)|curr(?P<current>\d+)_input")


@dataclass(frozen=True)
class Rail:
    """One rail of a chip.

    Attributes:
        label: as the chip has it.
        kind: ``energy`` (uJ), ``power`` (uW), ``power_mw`` or ``product`` (mV and mA).
        files: to read.
        index: the chip's number of it.
        is_off: its driver says that it does not measure it.
    """

    label: str
    kind: str
    files: tuple[Path, ...]
    index: int = 0
    is_off: bool = False


@METERS.register("hwmon")
def find_hwmon(root: Path, only: str | None = None) -> EnergyMeter:
    """Return the meter of the board's power monitors; INA3221 has one of its own.

    Args:
        only: chips or rails to take instead, by ``name`` or label with shell wildcards.

    Raises:
        DeviceStableError: there is no such chip.
        PermissionNeeded: there is one and it may not be read.
    """
    chips = {folder: read_text(folder / "name") or folder.name for folder in _folders(root)}
    chips = {folder: name for folder, name in chips.items() if not _INA3221.fullmatch(name)}
    found = {folder: rails_of(folder) for folder in chips}
    seen = {folder: name for folder, name in chips.items() if found[folder]}
    if only is None:
        taken = {folder: found[folder] for folder, name in seen.items() if _CHIPS.fullmatch(name)}
    else:
        taken = {folder: picked(name, found[folder], only) for folder, name in seen.items()}
    taken = {folder: rails for folder, rails in taken.items() if rails}
    if not taken:
        others = ", ".join(dict.fromkeys(seen.values()))
        hint = f"; not of the CPU, or unknown: {others} (take one with --meter hwmon=NAME)" if others else ""
        raise DeviceStableError(f"no power monitor chip below {root / FOLDER}{hint}")
    return meter_of({f: (chips[f], r) for f, r in taken.items()}, "hwmon")


def rails_of(folder: Path) -> list[Rail]:
    """Return every rail of a chip, by the best file it has."""
    best: dict[int, tuple[int, Rail]] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else []:
        match = _FILE.fullmatch(file.name)
        if match is None:
            continue
        index = int(match["index"] or match["current"])
        volts = folder / f"in{index}_input"
        kind = str(match["kind"])
        files: tuple[Path, ...] = (file,)
        if match["current"]:
            if not volts.is_file():
                continue
            rank, kind, files = 3, "product", (volts, file)
        else:
            rank = 0 if kind == "energy" else 1 if match["what"] == "input" else 2
        label = _label(folder, kind, index)
        if index not in best or rank < best[index][0]:
            best[index] = rank, Rail(label, kind, files, index, _is_off(folder, kind, index))
    rails = [rail for _, (_, rail) in sorted(best.items())]
    # A chip that counts some rails and only samples others would be read at two paces: keep the counters.
    counted = [rail for rail in rails if rail.kind == "energy"]
    return counted or rails


def meter_of(
    chips: Mapping[Path, tuple[str, list[Rail]]],
    name: str,
    *,
    default_update_s: float | None = None,
) -> EnergyMeter:
    """Return one meter over chips given by folder; a rail that feeds the others stands for them.

    A rail that refuses to be read, as a channel that is switched off does, is left out and named.

    Args:
        default_update_s: how often chips have a new value that do not say.

    Raises:
        DeviceStableError: every rail refuses.
        PermissionNeeded: one may not be read.
    """
    kinds = {rail.kind == "energy" for _, rails in chips.values() for rail in rails}
    is_counter = True in kinds
    rails: dict[str, Rail] = {}
    for chip, listed in chips.values():
        for rail in listed:
            if (rail.kind == "energy") == is_counter:
                label = rail.label if rail.label not in rails else f"{chip} {rail.label}"
                rails[label if label not in rails else f"{label} #{len(rails)}"] = rail
    refused = {label: why for label, rail in rails.items() if (why := _why_not(rail)) is not None}
    if len(refused) == len(rails):
        raise DeviceStableError(f"{name}: no rail can be read: {_listed(refused)}")
    added = add_up({label: rail.label for label, rail in rails.items() if label not in refused})
    periods_ms = [read_int(folder / "update_interval") for folder in chips]
    period_s = (
        max((ms for ms in periods_ms if ms is not None and 0 < ms < 60_000), default=0) / 1000
        or default_update_s
    )
    sort = "energy counters, uJ" if is_counter else "power, sampled and joined by straight lines"
    chip_names = ", ".join(dict.fromkeys(chip for chip, _ in chips.values()))
    about = About(
        name=name,
        source=f"{name} {chip_names} ({' + '.join(added.taken)})",
        sample_rate_hz=2.0 if is_counter else 20.0,
        counting_rate_hz=100.0 if is_counter and period_s is None else None,
        update_period_s=period_s,
        notes=(sort, *added.notes, *((f"left out, not readable: {_listed(refused)}",) if refused else ())),
    )
    kept = {label: rails[label] for label in added.taken}
    if is_counter:
        return CounterMeter(about, lambda: Count({label: need_int(r.files[0]) for label, r in kept.items()}))
    return PowerMeter(about, lambda: {label: _power_mw(rail) for label, rail in kept.items()})


def picked(chip: str, rails: list[Rail], only: str) -> list[Rail]:
    """Return the rails of ``chip`` that ``only`` asks for: all by the chip's name, else by label."""
    if pick({"chip": chip}, only):
        return rails
    labels = pick({rail.label: rail.label for rail in rails}, only)
    return [rail for rail in rails if rail.label in labels]


def _why_not(rail: Rail) -> str | None:
    """Return why a rail refuses to be read, ``None`` where it does not."""
    if rail.is_off:
        return "switched off"
    try:
        for file in rail.files:
            check_readable(file)
    except DeviceError as err:
        return str(err)
    return None


def _listed(refused: Mapping[str, str]) -> str:
    return ", ".join(f"{label} ({why})" for label, why in refused.items())


def _folders(root: Path) -> list[Path]:
    folder = root / FOLDER
    try:
        return sorted(p for p in folder.iterdir() if p.is_dir())
    except OSError:
        return []


def _label(folder: Path, kind: str, index: int) -> str:
    prefixes = ("in", "curr", "power", "energy") if kind == "product" else (kind, "in", "curr", "power")
    for prefix in prefixes:
        if label := read_text(folder / f"{prefix}{index}_label"):
            return label
    device = read_text(folder / "device/of_node/label")  # one INA2xx per rail: the board names it here
    return device or f"{read_text(folder / 'name') or folder.name} {kind}{index}"


def _is_off(folder: Path, kind: str, index: int) -> bool:
    prefixes = ("in", "curr") if kind == "product" else (kind,)
    return any(read_int(folder / f"{prefix}{index}_enable") == 0 for prefix in prefixes)


def _power_mw(rail: Rail) -> float:
    if rail.kind == "product":
        volts_mv, current_ma = (need_int(file) for file in rail.files)
        return power_of_mv_ma(volts_mv, current_ma)
    value = need_int(rail.files[0])
    return float(value) if rail.kind == "power_mw" else value / 1e3
