"""What a kernel would do behind the files of a phone: writes change the state, reads show it.

Knows no mount, no fanotify and no clock of its own, so that a test can drive it over a folder.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from runtime.device.emulation.devices import THERMAL, Supply, View, fixed_files
from runtime.device.emulation.pins import Cores, Pins, Processes
from runtime.device.marker import CPU_DIR, DRIVER, MARKER, PINNED, PINS, Marker
from runtime.device.soc.account import Rail
from runtime.device.soc.clock import DYNAMIC_GOVERNORS, PELT_HALF_LIFE_MS, REQUESTS, Clock, request, settle
from runtime.device.soc.power import ASSUMED, has_power, rail_of
from runtime.device.soc.profile import FULL_CAPACITY, Cluster, SocProfile
from runtime.device.soc.span import why_unlike
from runtime.device.soc.tree import SocTree

_FOLLOW_S = 0.1  # between looks at what pinned threads have started: their energy counts from then on
# No kernel has this one. By it what was done is counted in work, which the speed of the host does not move.
BUSY_IN_STATE = Path("stats/busy_in_state_us")
_TICK_S = 0.01  # USER_HZ, in which time_in_state counts


@dataclass
class Domain:
    """One cluster: its clock and what it has done.

    Attributes:
        time_in_state_s, busy_in_state_s: by clock, how long it stood there, and how long its cores were busy.
    """

    cluster: Cluster
    clock: Clock
    rail: Rail | None
    time_in_state_s: dict[int, float]
    busy_in_state_s: dict[int, float]
    transitions: int = 0
    utilisation: float = 0.0


class EmulatedMachine:
    """A SoC over a folder of files.

    Args:
        profile: the SoC.
        root: the files come below it.
        hosts: cores of the host that play the SoC's, in the order in which they are given out.
        cores: which are as slow as what they play.
        processes: as ``Pins`` takes them.
        least_capacity: slowest that the host can play, of 1024.
        soc: name that ``load_profile`` takes; default: the profile's own.
    """

    def __init__(
        self,
        profile: SocProfile,
        root: Path,
        hosts: Sequence[int],
        cores: Cores,
        processes: Processes,
        *,
        least_capacity: float = 0.0,
        soc: str | None = None,
    ):
        self.profile, self.root = profile, root
        self.marker = Marker(soc or profile.name, _map(profile, hosts), least_capacity, assumed=ASSUMED)
        metered = tuple(cluster.name for cluster in profile.clusters if self._is_metered(cluster))
        self.supply = Supply(tuple(cluster.name for cluster in profile.clusters), metered)
        cpus = {cluster.name: cluster.cpus for cluster in profile.clusters}
        self._pins = Pins(self.marker, cpus, cores, processes, self._note)
        self._last_s: float | None = None
        self._followed_s = -math.inf
        self._texts = {root / path: str(value) for path, value in fixed_files(profile, metered).items()}
        self._tree = SocTree(profile, root, driver=DRIVER)
        self._domains = {policy: self._domain(policy, c) for policy, c in self._tree.policies.items()}
        self._coolers = {
            root / THERMAL / f"cooling_device{number}/cur_state": domain
            for number, domain in enumerate(self._domains.values())
        }
        for folder in (PINS, PINNED):
            (root / folder).mkdir(parents=True)
        (root / PINS).chmod(0o1777)  # pinning needs no privilege
        for path in (root / CPU_DIR).rglob("*"):
            if path.is_file():
                self._texts[path] = path.read_text().strip()
        self._views = {root / path: view for path, view in self.supply.views().items()}
        self._views |= {path: _cooling_view(domain) for path, domain in self._coolers.items()}
        for policy, domain in self._domains.items():
            self._views |= self._clock_views(policy, domain)
        self._texts |= {path: str(view()) for path, view in self._views.items()}
        for path, text in self._texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")

    def mark(self, spinner_pids: Sequence[int] = ()) -> None:
        """Write the file by which processes learn where they are."""
        self.marker = replace(self.marker, spinner_pids=tuple(spinner_pids))
        (self.root / MARKER).write_bytes(msgspec.json.encode(self.marker))

    def folders(self) -> list[Path]:
        """Return the folders whose files change or take requests."""
        cpu_dir = self.root / CPU_DIR
        found = {path.parent for path in self._texts} - {cpu_dir}
        return [*sorted(path for path in found if "topology" not in path.parts), self.root / PINS]

    @property
    def is_busy(self) -> bool:
        """Whether a governor has something to follow."""
        pinned = {cluster for pin in self._pins for cluster in pin.plays.values()}
        return any(
            domain.cluster.name in pinned and domain.clock.governor in DYNAMIC_GOVERNORS
            for domain in self._domains.values()
        )

    def written(self, path: Path, text: str, now_s: float) -> str | None:
        """Take what was written to ``path`` and return what the file must hold now."""
        self.account(now_s)
        if path.parent == self.root / PINS:
            answer = self._pins.request(path.name, text)
            self._slow_down()
            return answer
        if path in self._coolers:
            self._cool(self._coolers[path], text)
        elif path.parent in self._domains and path.name in REQUESTS:
            domain = self._domains[path.parent]
            self._move(domain, request(domain.clock, path.name, text) or domain.clock)
        return self.shown(path, now_s)

    def shown(self, path: Path, now_s: float) -> str | None:
        """Return what ``path`` must hold for a reader now; ``None`` leaves it."""
        view = self._views.get(path)
        if view is None:
            return self._texts.get(path)
        self.account(now_s)
        return str(view())

    def account(self, now_s: float) -> None:
        """Bring energy, residency and governors up to ``now_s``."""
        if self._last_s is None:
            self._last_s = now_s
        span_s = now_s - self._last_s
        if span_s < 1e-3:
            return
        self._last_s = now_s
        before = len(self._pins)
        if now_s - self._followed_s >= _FOLLOW_S:
            self._followed_s = now_s
            self._pins.follow()
        busy_s = self._pins.read_busy_s(span_s)
        spent_mj = {}
        for domain in self._domains.values():
            busy_cores = min(busy_s[domain.cluster.name] / span_s, len(domain.cluster.cpus))
            power_mw = domain.rail.mean_mw(domain.clock.current_khz, busy_cores) if domain.rail else 0.0
            spent_mj[domain.cluster.name] = power_mw * span_s
            domain.time_in_state_s[domain.clock.current_khz] += span_s
            domain.busy_in_state_s[domain.clock.current_khz] += busy_cores * span_s
            self._follow(domain, min(busy_cores, 1.0), span_s)
        if len(self._pins) != before:
            self._slow_down()
        self.supply.take(spent_mj, span_s)

    def _follow(self, domain: Domain, busy_share: float, span_s: float) -> None:
        work = busy_share * domain.clock.current_khz / domain.clock.available_khz[-1]
        kept = 0.5 ** (1e3 * span_s / PELT_HALF_LIFE_MS)
        domain.utilisation = kept * domain.utilisation + (1 - kept) * work
        self._move(domain, domain.clock)

    def _move(self, domain: Domain, clock: Clock) -> None:
        before_khz = domain.clock.current_khz
        domain.clock = settle(clock, domain.utilisation)
        if domain.clock.current_khz != before_khz:
            domain.transitions += 1
            self._slow_down()

    def _cool(self, domain: Domain, text: str) -> None:
        clocks = domain.clock.available_khz
        if text.isdecimal() and int(text) < len(clocks):
            self._move(domain, replace(domain.clock, cap_khz=clocks[-1 - int(text)]))

    def _note(self, name: str, cpus: tuple[int, ...] | None) -> None:
        pinned = self.root / PINNED / name
        if cpus is None:
            pinned.unlink(missing_ok=True)
            (self.root / PINS / name).unlink(missing_ok=True)
        else:
            pinned.write_text(" ".join(map(str, cpus)))

    def _slow_down(self) -> None:
        least = self.marker.least_capacity
        self._pins.slow_down(
            {
                d.cluster.name: max(self.profile.capacity(d.cluster, d.clock.current_khz), least)
                / FULL_CAPACITY
                for d in self._domains.values()
            }
        )

    def _is_metered(self, cluster: Cluster) -> bool:
        # A sum over rails of unlike bases would be nobody's energy.
        return has_power(cluster) and self.profile.unlike_bases is None

    def _domain(self, policy: Path, cluster: Cluster) -> Domain:
        clock = settle(self._tree.read_clock(policy, cluster), 0.0)
        rail = rail_of(cluster) if self._is_metered(cluster) else None
        clocks = clock.available_khz
        return Domain(cluster, clock, rail, dict.fromkeys(clocks, 0.0), dict.fromkeys(clocks, 0.0))

    def _clock_views(self, policy: Path, domain: Domain) -> dict[Path, View]:
        """Return the files of a clock domain that change, and what gives their values."""

        def high_khz() -> int:
            clock = domain.clock
            high = clock.max_khz if clock.cap_khz is None else min(clock.max_khz, clock.cap_khz)
            return max(high, clock.min_khz)

        def speed() -> int | str:
            return domain.clock.current_khz if domain.clock.governor == "userspace" else "<unsupported>"

        def residency() -> str:
            return "\n".join(f"{khz} {round(s / _TICK_S)}" for khz, s in domain.time_in_state_s.items())

        def busy() -> str:
            return "\n".join(f"{khz} {round(s * 1e6)}" for khz, s in domain.busy_in_state_s.items())

        return {
            policy / "scaling_governor": lambda: domain.clock.governor,
            policy / "scaling_min_freq": lambda: domain.clock.min_khz,
            policy / "scaling_max_freq": high_khz,
            policy / "scaling_cur_freq": lambda: domain.clock.current_khz,
            policy / "scaling_setspeed": speed,
            policy / "stats/time_in_state": residency,
            policy / BUSY_IN_STATE: busy,
            policy / "stats/total_trans": lambda: domain.transitions,
        }


def _cooling_view(domain: Domain) -> View:
    clocks = domain.clock.available_khz
    return lambda: len(clocks) - 1 - clocks.index(domain.clock.cap_khz or clocks[-1])


def _map(profile: SocProfile, hosts: Sequence[int]) -> dict[str, int]:
    """Give host cores to CPUs: the last CPU of each cluster gets the first of ``hosts``, and so on.

    Clusters of like cores may run threads together: the slower one goes on where the faster one ended.
    """
    pairs, place, before = {}, 0, None
    for cluster in sorted(profile.clusters, key=profile.capacity)[::-1]:
        if before is None or why_unlike(before, cluster) is not None:
            place = 0
        for cpu in reversed(cluster.cpus):
            pairs[cpu] = hosts[place % len(hosts)]
            place += 1
        before = cluster
    return {str(cpu): pairs[cpu] for cpu in sorted(pairs)}
