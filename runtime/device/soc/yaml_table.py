"""SoC files in YAML: a device tree's clocks, a table of measured power per clock, or the two together.

A table carries ``clusters`` with, each, either ``opps`` (``khz, power_mw``, optional ``microvolt,
coremark``: one busy core, freqbench), or the kernel's old energy tables ``core_opps`` and
``cluster_opps`` (``khz, power``), or rows with ``active_cores`` (``khz, power_mw, volt``). ``idle_mw`` of an
opp, and ``power_kind, power_basis, power_method, power_file, collapsed_mw`` of a cluster or of the file, are
those of a profile; without tags the words of ``method`` count, such as "gross" and "rail"; the kernel's
energy tables are gross and of the cluster's rail. What such a table leaves open (voltages, names, CPUs,
device-tree coefficients) is taken from the file of the same SoC beside it, ``NAME.yaml`` for
``NAME_measured.yaml``, where there is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, get_args

import msgspec

from runtime.bundle.decoding import read_regular, refuse_aliases, why
from runtime.device.soc.core_names import core_of
from runtime.device.soc.profile import (
    FULL_CAPACITY,
    Cluster,
    LeftOut,
    Opp,
    PowerBasis,
    PowerKind,
    SocProfile,
)
from runtime.errors import DataError
from runtime.extras import require

_MAX_BYTES = 4 * 2**20
_SUFFIX = re.compile(r"(_sched_energy)?_measured$")
_NAMES = {1: ("cpu",), 2: ("little", "big"), 3: ("little", "mid", "big")}
_USUAL_CPUS = 8
# What the ``method`` of a file says of its powers, where it has no tags.
_IN_WORDS = {
    "power_kind": {"gross": r"\bgross\b", "net": r"(?s)^(?!.*\bgross\b).*\b(net|minus)\b"},
    "power_basis": {
        "rail": r"\brail\b",
        "battery": r"fuel.gauge|\bbattery\b",
        "board": r"\bwall\b|whole board",
    },
}
_TAGS = ("power_kind", "power_basis", "power_method", "power_file", "collapsed_mw")


@dataclass(frozen=True)
class _Row:
    khz: int
    microvolt: float | None
    power_mw: float | None
    coremark: float | None
    idle_mw: float | None = None


def parse_yaml(path: Path) -> SocProfile:
    """Return the SoC of a YAML file, its rows not yet screened.

    Powers below zero, which no ``Opp`` can hold, are already listed in ``left_out``.

    Raises:
        DataError: the file cannot be read or does not describe a SoC.
        MissingExtra: PyYAML is not installed.
    """
    raw = _read(path)
    beside = path.with_name(_SUFFIX.sub("", path.stem) + path.suffix)
    tree = _clusters(_read(beside), beside) if beside != path and beside.is_file() else []
    left_out: list[LeftOut] = []
    try:
        tables = _clusters(raw, path)
        names = _names(tables, tree)
        partners = [_partner(table, name, tree) for table, name in zip(tables, names, strict=True)]
        notes: list[str] = []
        clusters = [
            _cluster(table, name, partner, tables, raw, left_out, notes)
            for table, name, partner in zip(tables, names, partners, strict=True)
        ]
        kept = tuple(cluster for cluster in clusters if cluster.opps)
        if not kept:
            raise ValueError("no cluster has rows with a clock (khz)")
        dropped = [cluster.name for cluster in clusters if not cluster.opps]
        notes += [f"cluster {name} has no rows with a clock" for name in dropped]
        if not all(_cpus(table, partner) for table, partner in zip(tables, partners, strict=True)):
            notes.append("CPU numbers are worked out from the measured CPUs of an eight-core part")
        return SocProfile(
            name=_SUFFIX.sub("", path.stem),
            title=str(raw.get("name", path.stem)),
            board=str(raw.get("example_board") or "; ".join(map(str, raw.get("devices", ["unknown"])))),
            clusters=kept,
            sources=(str(raw.get("source", path.name)), *((f"device tree: {beside.name}",) if tree else ())),
            notes=tuple(notes),
            left_out=tuple(left_out),
        )
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as err:
        raise DataError(
            f"{path} is not a SoC table ({why(err)}); see runtime/device/soc/yaml_table.py for its form"
        ) from err


def _read(path: Path) -> dict[str, Any]:
    yaml = require("yaml", extra="predict")
    try:
        data = read_regular(path, advice="give a YAML file", error=DataError, most_bytes=_MAX_BYTES)
    except (OSError, ValueError) as err:  # ValueError: a zero in the path
        raise DataError(f"cannot read the SoC table {path} ({why(err)}); give a YAML file") from err
    try:
        refuse_aliases(yaml, data, str(path))
        return msgspec.yaml.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError, yaml.YAMLError) as err:
        raise DataError(f"{path} is not a YAML table ({why(err)}); give a file with `clusters`") from err


def _clusters(raw: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    clusters = raw.get("clusters")
    if not isinstance(clusters, list) or not clusters or not all(isinstance(each, dict) for each in clusters):
        raise DataError(f"{path} has no list `clusters`; give at least one with its opps")
    return clusters


def _names(tables: list[dict[str, Any]], tree: list[dict[str, Any]]) -> list[str]:
    usual = [str(each["name"]) for each in tree] if len(tree) == len(tables) else _NAMES.get(len(tables), ())
    return [
        str(table.get("name") or (usual[index] if index < len(usual) else f"cluster{index}"))
        for index, table in enumerate(tables)
    ]


def _partner(table: dict[str, Any], name: str, tree: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the device tree's cluster that ``table`` measured, or nothing."""
    for each in tree:
        if each.get("name") == name or table.get("measured_cpu") in (each.get("cpus") or ()):
            return each
    return {}


def _cpus(table: dict[str, Any], partner: dict[str, Any]) -> tuple[int, ...]:
    return tuple(table.get("cpus") or partner.get("cpus") or ())


def _guess_cpus(table: dict[str, Any], tables: list[dict[str, Any]]) -> tuple[int, ...]:
    """Return CPUs from one cluster's measured CPU up to the next one's; CPU 0 keeps house."""
    measured = sorted(int(each["measured_cpu"]) for each in tables)
    first = int(table["measured_cpu"])
    after = [cpu for cpu in measured if cpu > first]
    start = 0 if first == measured[0] else first
    return tuple(range(start, after[0] if after else max(_USUAL_CPUS, first + 1)))


def _cluster(
    table: dict[str, Any],
    name: str,
    partner: dict[str, Any],
    tables: list[dict[str, Any]],
    raw: dict[str, Any],
    left_out: list[LeftOut],
    notes: list[str],
) -> Cluster:
    rows = {row.khz: row for row in _rows(table)}
    volts = {int(opp["khz"]): opp.get("microvolt") for opp in partner.get("opps") or ()}
    opps = []
    for khz in sorted(rows.keys() | volts.keys()):
        row = rows.get(khz, _Row(khz, None, None, None))
        microvolt = row.microvolt or volts.get(khz)
        power_mw = row.power_mw
        if power_mw is not None and not power_mw >= 0:
            left_out.append(
                LeftOut(name, khz, power_mw, row.coremark, f"a busy core cannot take {power_mw:g} mW")
            )
            power_mw = None
        opps.append(Opp(khz, int(microvolt) if microvolt else None, power_mw, row.coremark, row.idle_mw))
    measured = any(opp.power_mw is not None for opp in opps)
    capacity = _capacity(table, partner, tables)
    said = _first(table, partner, "core")
    # The kernel's energy tables have a speed, but not in CoreMarks.
    per_mhz = None if "core_opps" in table else _per_mhz(table)
    core, told_by = core_of(said and str(said), per_mhz, capacity and capacity / FULL_CAPACITY)
    if told_by:
        notes.append(f"{name}: taken for {core}, {told_by}; give `core` in the file where it is another")
    return Cluster(
        name=name,
        core=core,
        cpus=_cpus(table, partner) or _guess_cpus(table, tables),
        opps=tuple(opps),
        capacity_dmips_mhz=capacity,
        power_coefficient=_first(table, partner, "dynamic_power_coefficient"),
        voltage_source=_first(table, partner, "microvolt_source"),
        power_source=_power_source(raw) if measured else None,
        **_tags(table, raw),
        further_core_share=_further_core_share(table),
    )


def _rows(table: dict[str, Any]) -> list[_Row]:
    if "core_opps" in table:
        shared = _shared_power(table)
        return [
            _Row(int(opp["khz"]), None, opp["power"] + shared.get(int(opp["khz"]), 0.0), opp.get("capacity"))
            for opp in table["core_opps"]
        ]
    rows = {int(opp["khz"]): _row(opp) for opp in table.get("opps") or ()}
    if all(row.power_mw is None for row in rows.values()):
        for opp in _active_rows(table):
            if opp["active_cores"] == 1:
                known = rows.get(int(opp["khz"]), _row(opp))
                rows[known.khz] = replace(known, power_mw=float(opp["power_mw"]))
    return list(rows.values())


def _shared_power(table: dict[str, Any]) -> dict[int, float]:
    """Return what a cluster takes beside its cores while one is busy, by clock in kHz."""
    return {int(opp["khz"]): float(opp["power"]) for opp in table.get("cluster_opps") or ()}


def _row(opp: dict[str, Any]) -> _Row:
    power_mw = opp.get("power_mw")
    microvolt = opp.get("microvolt") or (1e6 * opp["volt"] if opp.get("volt") else None)
    power_mw = None if power_mw is None else float(power_mw)
    return _Row(int(opp["khz"]), microvolt, power_mw, opp.get("coremark"), opp.get("idle_mw"))


def _active_rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the first list that says how many cores were busy."""
    for rows in table.values():
        if isinstance(rows, list) and rows and isinstance(rows[0], dict) and "active_cores" in rows[0]:
            return rows
    return []


def _further_core_share(table: dict[str, Any]) -> float | None:
    """Return what a further busy core adds to the first one's power, where the table shows it."""
    shares = []
    shared = _shared_power(table)
    for opp in table.get("core_opps") or ():
        if int(opp["khz"]) in shared:
            shares.append(opp["power"] / (opp["power"] + shared[int(opp["khz"])]))
    for rows in table.values():
        if isinstance(rows, list) and rows and isinstance(rows[0], dict) and "active_cores" in rows[0]:
            one = {row["khz"]: row["power_mw"] for row in rows if row["active_cores"] == 1}
            shares += [
                (row["power_mw"] / one[row["khz"]] - 1) / (row["active_cores"] - 1)
                for row in rows
                if row["active_cores"] > 1 and row["khz"] in one
            ]
    return round(sorted(shares)[len(shares) // 2], 4) if shares else None


def _capacity(table: dict[str, Any], partner: dict[str, Any], tables: list[dict[str, Any]]) -> int | None:
    known = _first(table, partner, "capacity_dmips_mhz")
    if known is not None:
        return int(known)
    own, *speeds = (_per_mhz(each) for each in (table, *tables))
    if own is None or None in speeds:
        return None
    return round(FULL_CAPACITY * own / max(speed for speed in speeds if speed))


def _per_mhz(table: dict[str, Any]) -> float | None:
    """Return the speed of a cluster's cores per MHz, as the file says it or by its rows."""
    told = table.get("coremarks_per_mhz")
    speeds = [1e3 * row.coremark / row.khz for row in _rows(table) if row.coremark]
    return float(told) if told else median(speeds) if speeds else None


def _first(table: dict[str, Any], partner: dict[str, Any], key: str) -> Any:
    value = table.get(key)
    return partner.get(key) if value is None else value


def _tags(table: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    """Return what the table, or else its file, says of its powers."""
    said = {name: _first(table, raw, name) for name in _TAGS}
    method = str(_first(table, raw, "method") or "")
    for name, words in _IN_WORDS.items():
        told = [tag for tag, pattern in words.items() if re.search(pattern, method)]
        if said[name] is None and len(told) == 1:  # words that say both say nothing
            said[name], said["power_method"] = told[0], said["power_method"] or method
    if "core_opps" in table:  # core + cluster while one core is busy, off the cluster's energy meter
        said |= {"power_kind": "gross", "power_basis": "rail"}
    for name, allowed in (("power_kind", get_args(PowerKind)), ("power_basis", get_args(PowerBasis))):
        if said[name] is not None and said[name] not in allowed:
            raise ValueError(f"{name} is {said[name]!r}; it must be one of {', '.join(allowed)}")
    return said


def _power_source(raw: dict[str, Any]) -> str:
    source = raw.get("source", "unknown source")
    source = "; ".join(map(str, source)) if isinstance(source, list) else str(source)
    if "bogo" in str(raw.get("unit", "")):
        return f"sched-energy table (bogo-mW): {source}"
    return f"measured: {source}"
