"""Which processes run on the emulated CPUs, and so what each core of the host plays.

Several clusters share the host's cores. A core plays the cluster that something is pinned to, one at a
time; without anything pinned to it, it is whole and anybody's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from runtime.device.emulation.busy import BusyTime
from runtime.device.marker import BUSY, Marker, parse_places
from runtime.device.soc.profile import JOINT
from runtime.errors import DeviceStableError


class Cores(Protocol):
    """The host's cores, as ``HostCores`` has them."""

    def keep(self, host: int, share: float) -> None: ...
    def claim(self, host: int) -> bool: ...
    def release(self, host: int) -> None: ...


class Processes(Protocol):
    """What the kernel tells of processes, as ``HostProcesses`` reads it."""

    def times_s(self, name: str) -> tuple[float, float] | None: ...
    def idle_s(self) -> dict[int, float]: ...
    def at_home_on(
        self, hosts: Collection[int], pids: Iterable[int]
    ) -> Iterator[tuple[str, frozenset[int]]]: ...


@dataclass
class Pin:
    """A process, or one thread of it, that runs on some CPUs.

    Attributes:
        plays: the host's cores that play them, and the cluster of each.
        times_s: how long its threads had run and waited when they were last looked at.
        is_born: nobody asked for it: a pinned one started it, and it goes where that one's core goes.
    """

    cpus: tuple[int, ...]
    plays: dict[int, str]
    times_s: tuple[float, float]
    is_born: bool = False

    @property
    def hosts(self) -> tuple[int, ...]:
        """The host's cores."""
        return tuple(self.plays)

    def clashes(self, other: Pin) -> bool:
        """Return whether a core of the host would play two clusters."""
        return any(other.plays.get(host, cluster) != cluster for host, cluster in self.plays.items())


class Pins:
    """The processes that are pinned now.

    Args:
        marker: maps emulated CPUs to the host's.
        clusters: CPUs of each.
        cores: of the host.
        processes: ``PID`` stands for one and its threads, ``PID:TID`` for one thread.
        note: called with each name and where it is pinned from now on; ``None``: nowhere any more.
    """

    def __init__(
        self,
        marker: Marker,
        clusters: dict[str, tuple[int, ...]],
        cores: Cores,
        processes: Processes,
        note: Callable[[str, tuple[int, ...] | None], None],
    ):
        self._marker, self._clusters, self._cores = marker, clusters, cores
        self._processes, self._note = processes, note
        self._pins: dict[str, Pin] = {}
        self._busy = {cluster: BusyTime() for cluster in clusters}
        self._idle_s: dict[int, float] = {}

    def __iter__(self) -> Iterator[Pin]:
        return iter(self._pins.values())

    def __len__(self) -> int:
        return len(self._pins)

    def request(self, name: str, text: str) -> str:
        """Answer what was written to the file ``name``: ``text`` where it is granted, else why not.

        All that one text asks for is granted, or nothing of it.
        """
        try:
            pins = {each: self._new_pin(each, cpus) for each, cpus in parse_places(name, text).items()}
            if pins.get(name, True) is None and text:
                return f"there is no process {name}"
            self._grant(pins)
        except (DeviceStableError, ValueError) as err:
            return str(err)
        return text

    def read_busy_s(self, span_s: float) -> dict[str, float]:
        """Return for how long the cores of each cluster were busy, all together, in the last ``span_s``."""
        idle_s, before_s = (self._processes.idle_s() if self._pins else {}), self._idle_s
        self._idle_s = idle_s
        idle_grown_s = {host: max(now_s - before_s.get(host, now_s), 0.0) for host, now_s in idle_s.items()}
        ran_s, waited_s = dict.fromkeys(self._clusters, 0.0), dict.fromkeys(self._clusters, 0.0)
        hosts: dict[str, set[int]] = {cluster: set() for cluster in self._clusters}
        for name, pin in list(self._pins.items()):
            times_s = self._processes.times_s(name)
            if times_s is None:
                self._drop([name])
                continue
            for cluster, share in _shares(pin, span_s, idle_grown_s).items():
                ran_s[cluster] += share * max(times_s[0] - pin.times_s[0], 0.0)
                waited_s[cluster] += share * max(times_s[1] - pin.times_s[1], 0.0)
            pin.times_s = times_s
            for host, cluster in pin.plays.items():
                hosts[cluster].add(host)
        return {
            cluster: busy.take(
                span_s,
                len(hosts[cluster]),
                ran_s[cluster],
                waited_s[cluster],
                sum(idle_grown_s.get(host, 0.0) for host in hosts[cluster]),
            )
            for cluster, busy in self._busy.items()
        }

    def follow(self) -> None:
        """Count what pinned threads have started since, where it stayed on their cores."""
        asked = {name for name, pin in self._pins.items() if not pin.is_born}
        by_thread = {int(name.partition(":")[0]) for name in asked if ":" in name}
        found = dict(self._processes.at_home_on(self._taken(), by_thread)) if self._pins else {}
        self._drop([name for name, pin in self._pins.items() if pin.is_born and name not in found])
        for name, hosts in found.items():
            if name in self._pins or name.partition(":")[0] in self._pins:
                continue
            parent = next((pin for pin in self if hosts <= set(pin.hosts)), None)
            times_s = self._processes.times_s(name)
            if parent is not None and times_s is not None:
                self._pins[name] = Pin(parent.cpus, parent.plays, times_s, is_born=True)
                self._note(name, parent.cpus)

    def slow_down(self, shares: dict[str, float]) -> None:
        """Make every core of the host as slow as the cluster that it plays.

        Args:
            shares: of the fastest clock's speed, per cluster.
        """
        kept = dict.fromkeys(self._marker.host_cpus.values(), 1.0)
        for pin in self:
            kept |= {host: shares[cluster] for host, cluster in pin.plays.items()}
        for host, share in kept.items():
            self._cores.keep(host, share)

    def _new_pin(self, name: str, cpus: tuple[int, ...]) -> Pin | None:
        """Return the pin to ``cpus``; ``None``: to none, or of a process that is gone."""
        times_s = self._processes.times_s(name)
        if times_s is None or not cpus:
            return None
        cluster_of = {cpu: cluster for cluster, its_cpus in self._clusters.items() for cpu in its_cpus}
        hosts = self._marker.map(cpus)  # there may be no such CPU
        plays = {host: cluster_of[cpu] for cpu, host in zip(cpus, hosts, strict=True)}
        before = self._pins.get(name)
        return Pin(cpus, plays, times_s if before is None else before.times_s)

    def _grant(self, wanted: dict[str, Pin | None]) -> None:
        """Pin all of them.

        Raises:
            DeviceStableError: a host core would have to play two clusters.
        """
        self._drop([name for name in self._pins if self._processes.times_s(name) is None])
        new = {name: pin for name, pin in wanted.items() if pin is not None}
        hosts = {host for pin in new.values() for host in pin.hosts}
        # Threads of a process that is pinned as a whole go with it, and what nobody asked for gives way.
        replaced = {
            name
            for name, pin in self._pins.items()
            if name in wanted
            or (":" in name and name.partition(":")[0] in new)
            or (pin.is_born and hosts & set(pin.hosts))
        }
        stay = {name: pin for name, pin in self._pins.items() if name not in replaced}
        for pin in new.values():
            for other, its in [*new.items(), *stay.items()]:
                if pin.clashes(its):
                    raise DeviceStableError(
                        f"process {other} runs on cluster {_names(its)!r}, and one host core cannot play "
                        f"{_names(pin)!r} beside it; end it first, move it along, or emulate on more cores"
                    )
        for host in hosts - self._taken():
            if not self._cores.claim(host):
                self._release()
                raise DeviceStableError(f"{BUSY}: another emulated machine uses core {host} of the host")
        self._pins |= new
        self._drop([name for name in replaced if name not in new])
        for name, pin in new.items():
            self._note(name, pin.cpus)

    def _drop(self, names: Iterable[str]) -> None:
        for name in names:
            del self._pins[name]
            self._note(name, None)
        self._release()

    def _release(self) -> None:
        for host in set(self._marker.host_cpus.values()) - self._taken():
            self._cores.release(host)

    def _taken(self) -> set[int]:
        return {host for pin in self for host in pin.hosts}


def _names(pin: Pin) -> str:
    return JOINT.join(dict.fromkeys(pin.plays.values()))


def _shares(pin: Pin, span_s: float, idle_grown_s: dict[int, float]) -> dict[str, float]:
    """Return which share of a pin's time each cluster ran: as much as its cores of the host were not idle."""
    busy_s = dict.fromkeys(pin.plays.values(), 0.0)
    for host, cluster in pin.plays.items():
        busy_s[cluster] += max(span_s - idle_grown_s.get(host, 0.0), 1e-9)
    return {cluster: each_s / sum(busy_s.values()) for cluster, each_s in busy_s.items()}
