"""What is known of a system on chip: clusters, their clocks, voltages and power."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

FULL_CAPACITY = 1024.0  # the kernel's scale: the fastest CPU at its highest clock
JOINT = "+"  # between the names of clusters that are used as one

PowerKind = Literal["net", "gross"]
PowerBasis = Literal["battery", "rail", "board"]

_BEYOND = 1e9  # 1 THz, 1 kV, 1 MW: whatever the unit, a figure from no machine
_MOST_OPPS = 2048  # of a cluster; kernels list some tens, a driver that only bounds its clock a few hundred


@dataclass(frozen=True)
class Opp:
    """One operating point of a cluster; what nobody published is ``None``, never a guess.

    Attributes:
        freq_khz: clock in kHz.
        voltage_uv: supply in uV.
        power_mw: table power of one busy core in mW; ``Cluster.power_kind`` says whether the idle cluster is
            in it, ``Cluster.power_source`` whose it is.
        coremark: CoreMark iterations per second of one core.
        idle_mw: power of the cluster while it is powered and all its cores are clock-gated.
    """

    freq_khz: int
    voltage_uv: int | None = None
    power_mw: float | None = None
    coremark: float | None = None
    idle_mw: float | None = None

    def __post_init__(self) -> None:
        if self.freq_khz > _BEYOND:
            raise ValueError(f"freq_khz is beyond {_BEYOND:g}; no machine has such a clock")
        if self.freq_khz <= 0:
            raise ValueError(f"freq_khz is {self.freq_khz}; it must be a positive number of kHz")
        for name in ("voltage_uv", "power_mw", "coremark", "idle_mw"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name} at {self.freq_khz} kHz is {value}; it must not be negative")
            if value is not None and not value < _BEYOND:
                raise ValueError(f"{name} at {self.freq_khz} kHz is beyond {_BEYOND:g}; no machine has that")


@dataclass(frozen=True)
class Cluster:
    """Cores that share a clock; or several clusters as one, whose clocks are those of its fastest member.

    Attributes:
        name: ``little``, ``mid``, ``big`` or the author's own word.
        core: type of core, a key of ``runtime.device.soc.cores.CORES``.
        cpus: the kernel's CPU numbers.
        capacity_dmips_mhz: relative speed per MHz (device tree), ``None`` if unknown.
        power_coefficient: device tree's dynamic power in uW/MHz/V^2, ``None`` if unknown.
        opps: operating points, slowest first; empty on a machine that shows no clocks.
        voltage_source, power_source: where those columns of ``opps`` come from.
        power_kind: of ``power_mw``: ``net``, over the idle cluster at the same clock, or ``gross``; ``None``
            where nobody said, and then ``net`` is assumed.
        power_basis: where it was measured: at the ``battery``, at the cluster's ``rail``, or at the supply of
            the whole ``board``; ``None`` where nobody said. Figures of unlike bases are not compared.
        power_method, power_file: how, and the file that holds the rows.
        collapsed_mw: power of the cluster with its supply collapsed, ``None`` if nobody measured it.
        further_core_share: what each further busy core adds to the first one's ``power_mw``, ``None`` if
            nobody measured it.
        siblings: CPUs that are hardware threads of one core (SMT), of each core that has several.
        members: clusters that this one stands for, slowest first, where it stands for several.
    """

    name: str
    core: str
    cpus: tuple[int, ...]
    opps: tuple[Opp, ...] = ()
    capacity_dmips_mhz: int | None = None
    power_coefficient: float | None = None
    voltage_source: str | None = None
    power_source: str | None = None
    power_kind: PowerKind | None = None
    power_basis: PowerBasis | None = None
    power_method: str | None = None
    power_file: str | None = None
    collapsed_mw: float | None = None
    further_core_share: float | None = None
    siblings: tuple[tuple[int, ...], ...] = ()
    members: tuple[Cluster, ...] = ()

    def __post_init__(self) -> None:
        if not self.cpus or len(set(self.cpus)) != len(self.cpus) or min(self.cpus) < 0:
            raise ValueError(f"cluster {self.name!r} has cpus {list(self.cpus)}; give distinct CPU numbers")
        if len(self.opps) > _MOST_OPPS:
            raise ValueError(
                f"cluster {self.name!r} has {len(self.opps)} opps; at most {_MOST_OPPS} are read"
            )
        clocks = [opp.freq_khz for opp in self.opps]
        if any(low >= high for low, high in itertools.pairwise(clocks)):
            raise ValueError(f"cluster {self.name!r} has clocks {clocks}; each must be above the one before")
        for name in ("capacity_dmips_mhz", "power_coefficient", "further_core_share", "collapsed_mw"):
            if not 0 <= (getattr(self, name) or 0) < _BEYOND:
                raise ValueError(f"cluster {self.name!r} has a {name} outside 0 to {_BEYOND:g}; correct it")
        if self.power_source is None and any(opp.power_mw is not None for opp in self.opps):
            raise ValueError(f"cluster {self.name!r} has power_mw but no power_source; say whose they are")
        for opp in self.opps:
            rising = (self.collapsed_mw, opp.idle_mw, opp.power_mw if self.power_kind == "gross" else None)
            known = [power_mw for power_mw in rising if power_mw is not None]
            if known != sorted(known):
                which = f"collapsed, idle and busy at {opp.freq_khz} kHz"
                raise ValueError(
                    f"cluster {self.name!r} takes {known} mW {which}; none may be below the last"
                )

    @property
    def cores(self) -> int:
        """How many cores its CPUs are."""
        return len(self.cpus) - sum(len(set(each) & set(self.cpus)) - 1 for each in self.siblings)

    @property
    def parts(self) -> tuple[Cluster, ...]:
        """Every cluster that shares one clock, of it."""
        return self.members or (self,)

    def shares(self, threads: int) -> tuple[tuple[Cluster, int], ...]:
        """Return how many of ``threads`` each of its parts runs: those that fit the fastest, then the others.

        Parts without any are left out.
        """
        found = []
        for part in reversed(self.parts):
            count = min(threads, len(part.cpus))
            threads -= count
            found += [(part, count)] if count else []
        return tuple(reversed(found))

    def place(self, threads: int, taken: Iterable[Sequence[int]] = ()) -> tuple[int, ...]:
        """Return ``threads`` of its CPUs: on cores of their own, that the fewest others use, the last first.

        The first CPU of a machine does the kernel's housekeeping.

        Args:
            taken: CPUs of everyone else.

        Example:
            >>> one = Cluster("big", "x", (4, 5, 6, 7))
            >>> one.place(1), one.place(2, [(7,)]), one.place(9)
            ((7,), (5, 6), (4, 5, 6, 7))
            >>> Cluster("cpu", "x", (0, 1, 2, 3), siblings=((0, 2), (1, 3))).place(2)
            (0, 1)
        """
        if self.members:
            taken = [tuple(each) for each in taken]
            placed = (part.place(count, taken) for part, count in self.shares(max(1, threads)))
            return tuple(sorted(cpu for cpus in placed for cpu in cpus))
        core_of = {cpu: min(each) for each in self.siblings for cpu in each}
        users = Counter(cpu for each in taken for cpu in each)
        core_users = Counter(core_of.get(cpu, cpu) for each in taken for cpu in each)
        chosen: list[int] = []
        for _ in range(min(max(1, threads), len(self.cpus))):
            used = Counter(core_of.get(cpu, cpu) for cpu in chosen)
            ranks = {
                cpu: (used[core], core_users[core], users[cpu], -core, cpu)
                for cpu in self.cpus
                if cpu not in chosen
                for core in [core_of.get(cpu, cpu)]
            }
            chosen.append(min(ranks, key=ranks.__getitem__))
        return tuple(sorted(chosen))

    @property
    def max_khz(self) -> int | None:
        """Highest clock in kHz; ``None`` where the machine shows no clocks."""
        return self.opps[-1].freq_khz if self.opps else None

    def nearest_khz(self, freq_khz: int) -> int:
        """Return the clock of this cluster that is nearest to one of another cluster."""
        clocks = [opp.freq_khz for opp in self.opps] or [freq_khz]
        return min(clocks, key=lambda khz: (abs(khz - freq_khz), khz))

    def opp(self, freq_khz: int) -> Opp:
        """Return the operating point at ``freq_khz``.

        Raises:
            ValueError: the cluster does not have that clock.
        """
        for opp in self.opps:
            if opp.freq_khz == freq_khz:
                return opp
        if not self.opps:
            raise ValueError(
                f"cluster {self.name!r} shows no clocks, got {freq_khz} kHz; leave the clock out"
            )
        clocks = ", ".join(str(opp.freq_khz) for opp in self.opps)
        raise ValueError(f"cluster {self.name!r} has no clock of {freq_khz} kHz; choose one of: {clocks}")


@dataclass(frozen=True)
class LeftOut:
    """A table row that cannot be true, and so takes no part in any power figure."""

    cluster: str
    freq_khz: int
    power_mw: float
    coremark: float | None
    reason: str


@dataclass(frozen=True)
class SocProfile:
    """A system on chip as tables of facts, each with its source.

    Example:
        >>> from runtime.device.soc import load_profile
        >>> load_profile("sdm845").cluster("big").max_khz
        2803200
    """

    name: str
    title: str
    board: str
    clusters: tuple[Cluster, ...]
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def __post_init__(self) -> None:
        names = [cluster.name for cluster in self.clusters]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"profile {self.name!r} has clusters {names}; give at least one, names distinct")
        cpus = [cpu for cluster in self.clusters for cpu in cluster.cpus]
        if len(set(cpus)) != len(cpus):
            raise ValueError(f"profile {self.name!r} lists a CPU twice: {sorted(cpus)}; each has one cluster")

    def cluster(self, name: str) -> Cluster:
        """Return the cluster called ``name``, or several as one: ``mid+big``.

        Raises:
            ValueError: there is none of that name.
        """
        for cluster in self.clusters:
            if cluster.name == name:
                return cluster
        names = name.split(JOINT)
        members = [cluster for cluster in self.clusters if cluster.name in names]
        if len(names) > 1 and len(members) == len(names):
            return join(sorted(members, key=self.capacity))
        known = ", ".join(cluster.name for cluster in self.clusters)
        raise ValueError(f"{self.name} has no cluster {name!r}; choose one of: {known}")

    @property
    def unlike_bases(self) -> str | None:
        """Which clusters' powers may not be compared, in words; ``None`` where all may be.

        A cluster that says nothing of its basis is assumed to be of that of the others.
        """
        told = {cluster.name: cluster.power_basis for cluster in self.clusters if cluster.power_basis}
        if len(set(told.values())) < 2:
            return None
        each = ", ".join(f"{name}: {basis}" for name, basis in told.items())
        return f"the powers of {self.name} are on unlike bases ({each}) and cannot be compared"

    def capacity(self, cluster: str | Cluster, freq_khz: int | None = None) -> float:
        """Return the capacity of one CPU at a clock, 0 to 1024.

        1024 * dmips_mhz * f / max over clusters of (dmips_mhz * f_max), as the kernel computes it
        (drivers/base/arch_topology.c). A cluster of unknown speed per MHz counts as the fastest.

        Args:
            cluster: one of this profile's, or its name.
            freq_khz: clock in kHz; ``None`` is the cluster's highest.
        """
        chosen = self.cluster(cluster) if isinstance(cluster, str) else cluster
        if chosen.members:  # the mean of its CPUs
            clocks = [freq_khz and part.nearest_khz(freq_khz) for part in chosen.members]
            pairs = zip(chosen.members, clocks, strict=True)
            return sum(len(part.cpus) * self.capacity(part, khz) for part, khz in pairs) / len(chosen.cpus)
        fastest = max(_per_mhz(other) * (other.max_khz or 1) for other in self.clusters)
        return FULL_CAPACITY * _per_mhz(chosen) * (freq_khz or chosen.max_khz or 1) / fastest


def join(clusters: Sequence[Cluster]) -> Cluster:
    """Return clusters, slowest first, as one: its clocks are the last one's, the others' the nearest."""
    *_, fastest = clusters
    return Cluster(
        JOINT.join(cluster.name for cluster in clusters),
        JOINT.join(dict.fromkeys(cluster.core for cluster in clusters)),
        tuple(cpu for cluster in clusters for cpu in cluster.cpus),
        tuple(Opp(opp.freq_khz) for opp in fastest.opps),
        siblings=tuple(core for cluster in clusters for core in cluster.siblings),
        members=tuple(clusters),
    )


def _per_mhz(cluster: Cluster) -> float:
    return float(cluster.capacity_dmips_mhz or FULL_CAPACITY)
