"""What a kernel would do behind the files of a phone: writes change the state, reads show it.

Knows no mount, no fanotify and no clock of its own, so that a test can drive it over a folder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from runtime.emulation.devices import THERMAL, Supply, fixed_files
from runtime.emulation.energy import IDLE_NOTE, cluster_power_mw
from runtime.emulation.marker import CPU_DIR, DRIVER, MARKER, PINS, Marker
from runtime.errors import DeviceStableError
from runtime.soc.clock import DYNAMIC_GOVERNORS, REQUESTS, Clock, request, settle
from runtime.soc.profile import FULL_CAPACITY, Cluster, SocProfile
from runtime.soc.tree import SocTree

_HALF_LIFE_S = 0.032  # of the kernel's utilisation: kernel/sched/pelt.c
_TICK_S = 0.01  # USER_HZ, in which time_in_state counts


@dataclass
class Domain:
    """One cluster: its clock and what it has done."""

    cluster: Cluster
    clock: Clock
    time_in_state_s: dict[int, float]
    transitions: int = 0
    utilisation: float = 0.0
    busy_s: float = 0.0  # since the last account


@dataclass
class Pin:
    """A process, or one thread of it, that runs on CPUs of one cluster."""

    cpus: tuple[int, ...]
    hosts: tuple[int, ...]
    domain: Domain
    runnable_ns: int


class Machine:
    """A SoC over a folder of files.

    Args:
        profile: the SoC.
        root: the files come below it.
        hosts: cores of the host that play the SoC's, in the order in which they are given out.
        keep: called with (host core, share) when the share of it that the workload may use changes.
        runnable_ns: how long the threads of ``PID``, or the one thread ``PID:TID``, have run or waited
            to run; ``None`` once it is gone.
        least_capacity: slowest that the host can play, of 1024.
        soc: name that ``load_profile`` takes; default: the profile's own.
    """

    def __init__(
        self,
        profile: SocProfile,
        root: Path,
        hosts: Sequence[int],
        keep: Callable[[int, float], None],
        runnable_ns: Callable[[str], int | None],
        *,
        least_capacity: float = 0.0,
        soc: str | None = None,
    ):
        self.profile, self.root = profile, root
        self._keep, self._runnable_ns = keep, runnable_ns
        self.marker = Marker(soc or profile.name, _map(profile, hosts), least_capacity, idle_note=IDLE_NOTE)
        self.supply = Supply(tuple(cluster.name for cluster in profile.clusters))
        self._pins: dict[str, Pin] = {}
        self._last_s: float | None = None
        self._texts = {root / path: str(value) for path, value in fixed_files(profile).items()}
        self._tree = SocTree(profile, root, driver=DRIVER)
        self._domains = {policy: self._domain(policy, c) for policy, c in self._tree.policies.items()}
        self._coolers = {
            root / THERMAL / f"cooling_device{number}/cur_state": domain
            for number, domain in enumerate(self._domains.values())
        }
        (root / PINS).mkdir(parents=True)
        for path in (root / CPU_DIR).rglob("*"):
            if path.is_file():
                self._texts[path] = path.read_text().strip()
        for path, text in (self._texts | self._changing()).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")

    def mark(self, spinner_pids: Sequence[int] = ()) -> None:
        """Write the file by which processes learn where they are."""
        self.marker = replace(self.marker, spinner_pids=tuple(spinner_pids))
        (self.root / MARKER).write_bytes(msgspec.json.encode(self.marker))

    def folders(self) -> list[Path]:
        """Return the folders whose files change or take requests."""
        cpu_dir = self.root / CPU_DIR
        found = {path.parent for path in self._texts | self._changing()} - {cpu_dir}
        return [*sorted(path for path in found if "topology" not in path.parts), self.root / PINS]

    @property
    def is_busy(self) -> bool:
        """Whether a governor has something to follow."""
        return any(pin.domain.clock.governor in DYNAMIC_GOVERNORS for pin in self._pins.values())

    def written(self, path: Path, text: str, now_s: float) -> str | None:
        """Take what was written to ``path`` and return what the file must hold now."""
        self.account(now_s)
        if path.parent == self.root / PINS:
            return self._pin(path.name, text)
        if path in self._coolers:
            self._cool(self._coolers[path], text)
        elif path.parent in self._domains and path.name in REQUESTS:
            domain = self._domains[path.parent]
            self._move(domain, request(domain.clock, path.name, text) or domain.clock)
        return self.shown(path, now_s)

    def shown(self, path: Path, now_s: float) -> str | None:
        """Return what ``path`` must hold for a reader now; ``None`` leaves it."""
        if path.parent == self.root / PINS:
            return None
        if path in self._texts and path not in self._changing():
            return self._texts[path]
        self.account(now_s)
        value = self._changing().get(path)
        return None if value is None else str(value)

    def account(self, now_s: float) -> None:
        """Bring energy, residency and governors up to ``now_s``."""
        if self._last_s is None:
            self._last_s = now_s
        span_s = now_s - self._last_s
        if span_s < 1e-3:
            return
        self._last_s = now_s
        self._read_busy(span_s)
        spent_mj = {}
        for domain in self._domains.values():
            busy_cores = min(domain.busy_s / span_s, len(domain.cluster.cpus))
            power_mw = cluster_power_mw(domain.cluster, domain.clock.current_khz, busy_cores)
            spent_mj[domain.cluster.name] = power_mw * span_s
            domain.time_in_state_s[domain.clock.current_khz] += span_s
            self._follow(domain, min(busy_cores, 1.0), span_s)
            domain.busy_s = 0.0
        self.supply.take(spent_mj, span_s)

    def _read_busy(self, span_s: float) -> None:
        for name, pin in list(self._pins.items()):
            runnable_ns = self._runnable_ns(name)
            if runnable_ns is None:
                self._forget(name)
                continue
            busy_s = (runnable_ns - pin.runnable_ns) / 1e9
            pin.runnable_ns = runnable_ns
            pin.domain.busy_s += min(max(busy_s, 0.0), span_s * len(pin.cpus))

    def _follow(self, domain: Domain, busy_share: float, span_s: float) -> None:
        work = busy_share * domain.clock.current_khz / domain.clock.available_khz[-1]
        kept = 0.5 ** (span_s / _HALF_LIFE_S)
        domain.utilisation = kept * domain.utilisation + (1 - kept) * work
        self._move(domain, domain.clock)

    def _move(self, domain: Domain, clock: Clock) -> None:
        before_khz = domain.clock.current_khz
        domain.clock = settle(clock, domain.utilisation)
        if domain.clock.current_khz != before_khz:
            domain.transitions += 1
            self._steal()

    def _cool(self, domain: Domain, text: str) -> None:
        clocks = domain.clock.available_khz
        if text.isdecimal() and int(text) < len(clocks):
            self._move(domain, replace(domain.clock, cap_khz=clocks[-1 - int(text)]))

    def _pin(self, name: str, text: str) -> str:
        """Return ``text`` where the pin is granted, else why not."""
        if not all(word.isdecimal() for word in text.split()):
            return f"a pin takes CPU numbers, not {text!r}"
        runnable_ns = self._runnable_ns(name)
        if runnable_ns is None:
            return f"there is no process {name}"
        cpus = tuple(int(word) for word in text.split())
        try:
            hosts = self.marker.map(cpus)
            domain = self._shared(name, cpus, hosts)
        except DeviceStableError as err:
            return str(err)
        self._pins[name] = Pin(cpus, hosts, domain, runnable_ns)
        self._steal()
        return text

    def _shared(self, name: str, cpus: tuple[int, ...], hosts: tuple[int, ...]) -> Domain:
        """Return the domain of ``cpus``, if their host cores are free to play it."""
        domain = next((d for d in self._domains.values() if set(cpus) <= set(d.cluster.cpus)), None)
        if domain is None or not cpus:
            raise DeviceStableError(f"CPUs {list(cpus)} are not of one cluster; give CPUs that share a clock")
        for other, pin in list(self._pins.items()):
            if self._runnable_ns(other) is None:
                self._forget(other)
            elif other != name and pin.domain is not domain and set(pin.hosts) & set(hosts):
                raise DeviceStableError(
                    f"process {other} runs on cluster {pin.domain.cluster.name!r}, and one host core cannot "
                    f"play {domain.cluster.name!r} beside it; end it first, or emulate on more cores"
                )
        return domain

    def _forget(self, name: str) -> None:
        del self._pins[name]
        (self.root / PINS / name).unlink(missing_ok=True)
        self._steal()

    def _steal(self) -> None:
        shares = dict.fromkeys(self.marker.host_cpus.values(), 1.0)
        for pin in self._pins.values():
            capacity = self.profile.capacity(pin.domain.cluster, pin.domain.clock.current_khz)
            for host in pin.hosts:
                shares[host] = max(capacity, self.marker.least_capacity) / FULL_CAPACITY
        for host, share in shares.items():
            self._keep(host, share)

    def _domain(self, policy: Path, cluster: Cluster) -> Domain:
        clock = settle(self._tree.read_clock(policy, cluster), 0.0)
        return Domain(cluster, clock, dict.fromkeys(clock.available_khz, 0.0))

    def _changing(self) -> dict[Path, str]:
        files = {self.root / path: str(value) for path, value in self.supply.shown().items()}
        for policy, domain in self._domains.items():
            clock = domain.clock
            high_khz = clock.max_khz if clock.cap_khz is None else min(clock.max_khz, clock.cap_khz)
            speed = str(clock.current_khz) if clock.governor == "userspace" else "<unsupported>"
            residency = (f"{khz} {round(s / _TICK_S)}" for khz, s in domain.time_in_state_s.items())
            files |= {
                policy / "scaling_governor": clock.governor,
                policy / "scaling_min_freq": str(clock.min_khz),
                policy / "scaling_max_freq": str(max(high_khz, clock.min_khz)),
                policy / "scaling_cur_freq": str(clock.current_khz),
                policy / "scaling_setspeed": speed,
                policy / "stats/time_in_state": "\n".join(residency),
                policy / "stats/total_trans": str(domain.transitions),
            }
        for path, domain in self._coolers.items():
            clock = domain.clock
            cap_khz = clock.cap_khz or clock.available_khz[-1]
            files[path] = str(len(clock.available_khz) - 1 - clock.available_khz.index(cap_khz))
        return files


def _map(profile: SocProfile, hosts: Sequence[int]) -> dict[str, int]:
    """Give host cores to CPUs: the last CPU of each cluster gets the first of ``hosts``, and so on."""
    pairs = {
        cpu: hosts[place % len(hosts)]
        for cluster in profile.clusters
        for place, cpu in enumerate(reversed(cluster.cpus))
    }
    return {str(cpu): pairs[cpu] for cpu in sorted(pairs)}
