"""Which CPUs of a machine are one cluster: equal cores, whether they share a clock domain or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.device.actuators import allowed_cpus
from runtime.device.actuators.domains import FreqDomain, common_clocks, read_domains, read_online
from runtime.device.core_kinds import read_core_kinds
from runtime.device.soc.tree import CPU_DIR, range_list
from runtime.device.sysfs import parse_cpu_list, parse_int, read_int, read_text

Place = tuple[int, FreqDomain | None]  # a CPU and its clock domain
_NEAR_SHARE = 0.95  # of another's capacity, which the kernel derives from the highest clock


@dataclass(frozen=True)
class Group:
    """Equal CPUs, and the clocks that all of them have."""

    cpus: tuple[int, ...]
    clocks_khz: tuple[int, ...]
    capacity: int | None
    rank: int  # of their kind, see ``core_kinds``
    siblings: tuple[tuple[int, ...], ...] = ()  # hardware threads of each core that has several


def read_groups(root: Path, usable: Collection[int] | None = None) -> tuple[list[Group], tuple[str, ...]]:
    """Return the groups of CPUs below ``root``, slowest first, and what was passed over and why.

    Clock domains of equal driver, clocks, capacity and kind of core are one group: x86 has a domain for
    each CPU. So are those that end at nearly equal clocks, see ``common_clocks``. Where the machine shows no
    domains, CPUs of equal capacity and kind are.

    Args:
        usable: CPUs that may be used; ``None``: all that are on line.
    """
    capacities, kinds, online = _read_capacities(root), read_core_kinds(root), read_online(root)
    domains, passed_over = read_domains(root)
    found: dict[tuple[object, ...], list[Place]] = {}
    places: list[Place] = [(cpu, domain) for domain in domains for cpu in domain.cpus]
    places = places or [(cpu, None) for cpu in capacities or allowed_cpus() or (0,)]
    for cpu, domain in places:
        clocks = None if domain is None else (domain.driver, domain.available_khz)
        # Where nothing tells two domains of equal clocks apart, they are of equal cores.
        found.setdefault((clocks, capacities.get(cpu), kinds.get(cpu)), []).append((cpu, domain))
    groups, off = [], {cpu for cpu in capacities if online is not None and cpu not in online}
    for members in _joined(found.values(), capacities, kinds):
        cpus = tuple(sorted(c for c, _ in members if c not in off and (usable is None or c in usable)))
        if cpus:
            known = [capacity for cpu in cpus if (capacity := capacities.get(cpu)) is not None]
            rank, siblings = kinds.get(cpus[0], (0, ""))[0], _read_siblings(root, cpus)
            groups.append(Group(cpus, _clocks(members) or (), min(known, default=None), rank, siblings))
    groups.sort(key=lambda g: (g.capacity or 0, g.rank, g.clocks_khz[-1] if g.clocks_khz else 0, g.cpus))
    bare = {c for c in capacities if c not in off and (usable is None or c in usable)}
    bare -= {cpu for cpu, _ in places}
    notes = [*passed_over]
    notes += [f"CPUs {range_list(sorted(off))} are off line"] if off else []
    notes += [f"CPUs {range_list(sorted(bare))} have no clock domain"] if bare else []
    cores = [", ".join(map(str, each)) for group in groups for each in group.siblings]
    shared = (
        [f"CPUs {' and '.join(cores)} are one core each: threads take other cores first"] if cores else []
    )
    return groups, (*(f"passed over: {note}" for note in notes), *shared)


def _joined(
    groups: Collection[list[Place]], capacities: Mapping[int, int | None], kinds: Mapping[int, object]
) -> list[list[Place]]:
    """Return the groups, those joined that differ by little in clocks and capacity."""
    joined: list[list[Place]] = []
    for group in sorted(groups, key=lambda group: -(_clocks(group) or (0,))[-1]):
        for other in joined:
            ends = [capacities.get(each[0][0]) for each in (group, other)]
            known = [capacity for capacity in ends if capacity is not None]
            is_near = len(known) == 0 or (len(known) == 2 and min(known) >= max(known) * _NEAR_SHARE)
            if is_near and kinds.get(group[0][0]) == kinds.get(other[0][0]) and _clocks([*other, *group]):
                other += group
                break
        else:
            joined.append(list(group))
    return joined


def _clocks(members: Sequence[Place]) -> tuple[int, ...] | None:
    """Return the clocks that all have; ``None`` where there are none, or they are too unlike."""
    domains = list(dict.fromkeys(domain for _, domain in members if domain is not None))
    return common_clocks(domains) if domains else None


def _read_siblings(root: Path, cpus: Collection[int]) -> tuple[tuple[int, ...], ...]:
    """Return which of ``cpus`` are one core (Documentation/admin-guide/cputopology.rst); older names, too."""
    cores = set()
    for cpu in cpus:
        topology = root / CPU_DIR / f"cpu{cpu}/topology"
        text = read_text(topology / "core_cpus_list") or read_text(topology / "thread_siblings_list") or ""
        cores.add(tuple(each for each in parse_cpu_list(text) or () if each in cpus))
    return tuple(sorted(core for core in cores if len(core) > 1))


def _read_capacities(root: Path) -> dict[int, int | None]:
    found = {
        cpu: read_int(folder / "cpu_capacity")
        for folder in (root / CPU_DIR).glob("cpu[0-9]*")
        if (cpu := parse_int(folder.name[3:])) is not None
    }
    return dict(sorted(found.items()))
