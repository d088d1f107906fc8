"""Which processes run on the emulated CPUs, and so what each core of the host plays.

Several clusters share the host's cores. A core plays the cluster that something is pinned to, one at a
time; without anything pinned to it, it is whole and anybody's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from runtime.device.marker import BUSY, Marker
from runtime.errors import DeviceStableError

_MOST_OWED_S = 0.2


class Cores(Protocol):
    """The host's cores, as ``HostCores`` has them."""

    def keep(self, host: int, share: float) -> None: ...
    def claim(self, host: int) -> bool: ...
    def release(self, host: int) -> None: ...


@dataclass
class Pin:
    """A process, or one thread of it, that runs on CPUs of one cluster."""

    cluster: str
    cpus: tuple[int, ...]
    hosts: tuple[int, ...]
    runnable_ns: int
    owed_s: float = 0.0  # busy time not counted yet


class Pins:
    """The processes that are pinned now.

    Args:
        marker: maps emulated CPUs to the host's.
        clusters: CPUs of each.
        cores: of the host.
        runnable_ns: how long the threads of ``PID``, or the one thread ``PID:TID``, have run or waited to
            run; ``None`` once it is gone.
        forget: called with the name of each that is gone.
    """

    def __init__(
        self,
        marker: Marker,
        clusters: dict[str, tuple[int, ...]],
        cores: Cores,
        runnable_ns: Callable[[str], int | None],
        forget: Callable[[str], None],
    ):
        self._marker, self._clusters, self._cores = marker, clusters, cores
        self._runnable_ns, self._forget_name = runnable_ns, forget
        self._pins: dict[str, Pin] = {}

    def __iter__(self) -> Iterator[Pin]:
        return iter(self._pins.values())

    def __len__(self) -> int:
        return len(self._pins)

    def add(self, name: str, text: str) -> str:
        """Pin ``name`` to the CPUs that ``text`` lists; return ``text`` where it is granted, else why not."""
        if not all(word.isdecimal() for word in text.split()):
            return f"a pin takes CPU numbers, not {text!r}"
        runnable_ns = self._runnable_ns(name)
        if runnable_ns is None:
            return f"there is no process {name}"
        cpus = tuple(int(word) for word in text.split())
        try:
            hosts = self._marker.map(cpus)
            cluster = self._free_cluster(name, cpus, hosts)
        except DeviceStableError as err:
            return str(err)
        for host in set(hosts) - self._taken():
            if not self._cores.claim(host):
                self._release()
                return f"{BUSY}: another emulated machine uses core {host} of the host"
        self._pins[name] = Pin(cluster, cpus, hosts, runnable_ns)
        return text

    def read_busy_s(self, span_s: float) -> dict[str, float]:
        """Return for how long the cores of each cluster were busy, all together, in the last ``span_s``."""
        busy_s = dict.fromkeys(self._clusters, 0.0)
        for name, pin in list(self._pins.items()):
            runnable_ns = self._runnable_ns(name)
            if runnable_ns is None:
                self._drop(name)
                continue
            # Waiting is only counted once it ends, maybe for more time than this span has.
            owed_s = pin.owed_s + max(runnable_ns - pin.runnable_ns, 0) / 1e9
            paid_s = min(owed_s, span_s * len(pin.cpus))
            pin.runnable_ns, pin.owed_s = runnable_ns, min(owed_s - paid_s, _MOST_OWED_S)
            busy_s[pin.cluster] += paid_s
        return busy_s

    def slow_down(self, shares: dict[str, float]) -> None:
        """Make every core of the host as slow as the cluster that it plays.

        Args:
            shares: of the fastest clock's speed, per cluster.
        """
        kept = dict.fromkeys(self._marker.host_cpus.values(), 1.0)
        for pin in self:
            kept |= dict.fromkeys(pin.hosts, shares[pin.cluster])
        for host, share in kept.items():
            self._cores.keep(host, share)

    def _free_cluster(self, name: str, cpus: tuple[int, ...], hosts: tuple[int, ...]) -> str:
        """Return the cluster of ``cpus``, if their host cores are free to play it."""
        all_of = self._clusters.items()
        cluster = next((c for c, its_cpus in all_of if cpus and set(cpus) <= set(its_cpus)), None)
        if cluster is None:
            raise DeviceStableError(f"CPUs {list(cpus)} are not of one cluster; give CPUs that share a clock")
        for other, pin in list(self._pins.items()):
            if self._runnable_ns(other) is None:
                self._drop(other)
            elif other != name and pin.cluster != cluster and set(pin.hosts) & set(hosts):
                raise DeviceStableError(
                    f"process {other} runs on cluster {pin.cluster!r}, and one host core cannot play "
                    f"{cluster!r} beside it; end it first, or emulate on more cores"
                )
        return cluster

    def _drop(self, name: str) -> None:
        del self._pins[name]
        self._forget_name(name)
        self._release()

    def _release(self) -> None:
        for host in set(self._marker.host_cpus.values()) - self._taken():
            self._cores.release(host)

    def _taken(self) -> set[int]:
        return {host for pin in self for host in pin.hosts}
