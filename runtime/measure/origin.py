"""Where records come from: the machine that made them, its kernel, engine and energy meter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runtime.device.meters.reading import EnergyReading
from runtime.errors import DataError
from runtime.measure.records import Record

# What a machine is. ``kernel`` and ``os`` are left out: an upgrade changes them, not the machine.
_MACHINE = ("name", "soc", "arch")


@dataclass(frozen=True)
class Origin:
    """What made a figure; figures of two origins are not the same measurement.

    Attributes:
        machine: name, SoC and architecture; empty: unknown, as in records of schema 1.
        engine: version of what ran the model.
        kernel: of the machine.
        meter: which meter saw the energy, gross or net; ``None``: none did.
    """

    machine: tuple[str, ...]
    engine: str
    kernel: str
    meter: str | None

    @property
    def text(self) -> str:
        """The origin in words: machine, engine, kernel and meter."""
        meter = "no energy meter" if self.meter is None else f"meter {self.meter}"
        known = (machine_text(self.machine), self.engine or "unknown engine", self.kernel, meter)
        return ", ".join(word for word in known if word)


def origin(device: Mapping[str, str], versions: Mapping[str, str], meter: str | None) -> Origin:
    """Return the origin of what a session with these facts measures."""
    machine = tuple(device.get(key, "") for key in _MACHINE) if device.get("name") else ()
    # Some sessions tell the kernel twice, as "Linux 6.18" and "6.18": either shows an upgrade.
    kernel, again = device.get("kernel", ""), versions.get("kernel", "")
    kernel = kernel if again in kernel else f"{kernel} {again}".strip()
    return Origin(machine, versions.get("engine", ""), kernel, meter)


def origin_of(record: Record) -> Origin:
    """Return where ``record`` comes from."""
    energy = record.energy
    return origin(record.device, record.versions, None if energy is None else meter_name(energy))


def meter_name(reading: EnergyReading) -> str:
    """Return the name of the meter that gave a reading, which says whether it is net of the idle machine."""
    return f"{reading.source} net" if reading.subtract_idle else reading.source


def machine_text(machine: Sequence[str]) -> str:
    """Return a machine in words: ``Raspberry Pi 4 (BCM2711, aarch64)``."""
    if not machine:
        return "an unknown machine"
    name, *rest = machine
    known = ", ".join(word for word in rest if word)
    return f"{name} ({known})" if known else name


def by_machine(records: Iterable[Record]) -> dict[tuple[str, ...], list[Record]]:
    """Return measured records machine by machine, the one that measured last at the end.

    Records that do not name their machine come under ``()``, modelled ones too: no machine made them.
    """
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        machine = () if record.is_modelled else origin_of(record).machine
        groups[machine] = [*groups.pop(machine, []), record]
    return groups


def by_place(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Return the records by model file, target and, where several share its name, machine; oldest first."""
    machines = {(record.target, origin_of(record).machine) for record in records if not record.is_modelled}
    places: dict[str, list[Record]] = {}
    for record in records:
        title = f"{record.model} ({record.model_sha256[:8]}) on {record.target}"
        if not record.is_modelled and sum(target == record.target for target, _ in machines) > 1:
            title += f", {machine_text(origin_of(record).machine)}"
        places.setdefault(title, []).append(record)
    return places


_SEPARATE = (
    "on the machine that is meant run `edgekit bench --again`, which moves the others' records to a file of "
    "their own, or remove their lines"
)


def check_one_machine(records: Iterable[Record], what_to_do: str = _SEPARATE) -> None:
    """Make sure that no two machines made ``records``; those that name none do not count.

    Raises:
        DataError: two did; both are named.
    """
    made = {machine: group for machine, group in by_machine(records).items() if machine}
    if len(made) > 1:
        target = next(iter(made.values()))[0].target
        listed = " and of ".join(
            f"{machine_text(machine)}: {_count(len(group))}, the last of {group[-1].created_utc[:10]}"
            for machine, group in made.items()
        )
        raise DataError(
            f"the records of {target} are of {len(made)} machines: of {listed}; figures of one do not stand "
            f"for another: {what_to_do}"
        )


def of_known_machine(records: Sequence[Record]) -> list[Record]:
    """Return the records that name their machine and the modelled ones; where none names it, all."""
    known = [record for record in records if record.is_modelled or origin_of(record).machine]
    return known or list(records)


def newest_blocks(records: Iterable[Record]) -> list[Record]:
    """Return one record of each block: the last stable one, else the last; in the order of the file."""
    newest: dict[tuple[object, ...], Record] = {}
    for record in records:
        place = (
            record.model_sha256, record.variant, record.target, record.setting, record.fps_target,
            record.seed, record.block,
        )  # fmt: skip
        if record.is_trusted or place not in newest or newest[place].verdict == "unstable":
            newest.pop(place, None)
            newest[place] = record
    return list(newest.values())


def newest_versions(records: Sequence[Record]) -> list[Record]:
    """Return the records of the kernel and of each engine's version that were in use last."""
    engines = {record.engine: record.versions.get("engine") for record in records}
    kernel = origin_of(records[-1]).kernel if records else ""
    return [
        record
        for record in records
        if record.is_modelled
        or (record.versions.get("engine") == engines[record.engine] and origin_of(record).kernel == kernel)
    ]


def _count(blocks: int) -> str:
    return f"{blocks} block{'s' if blocks > 1 else ''}"
