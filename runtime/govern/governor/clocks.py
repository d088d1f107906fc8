"""The clocks of a machine's clusters, held against other programs within reason, and restored."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runtime.device.actuators import CpuFreq
from runtime.device.actuators.cpufreq import TakenClock
from runtime.device.actuators.domains import missed_khz
from runtime.device.soc import Cluster, SocProfile
from runtime.errors import DeviceError, PermissionNeeded

# Times within ``_FIGHT_S`` that a clock is set again before another program gets it. A program
# that writes it once, as when a user or a boost at a touch does, is corrected; one that goes on, such as a
# vendor's power service, would be fought for ever, each write of both costing a change of clock. ``_LOST_S``:
# that the cluster is then left alone; shorter goes on fighting, longer runs frames at a clock that nobody
# chose for them. Five, ten and five seconds are choices, not measurements.
_MOST_REAPPLIED = 5
_FIGHT_S = 10.0
_LOST_S = 5.0
# After which a lower limit is tried again. Heat passes in seconds, and one write that fails costs little.
_CAP_S = 2.0


@dataclass
class _Held:
    clock: TakenClock
    asked_khz: int | None = None  # None: the kernel has it
    reapplied_s: deque[float] = field(default_factory=lambda: deque(maxlen=_MOST_REAPPLIED + 1))
    read_khz: int | None = None  # as the domain showed it last
    lost_until_s: float = 0.0
    cap_khz: int | None = None
    cap_until_s: float = 0.0


class Clocks:
    """Sets clocks by the name of the cluster; enter it, and all of them are restored after.

    A clock that is measured may be off by as much as a verdict allows; a driver that only bounds clocks is
    held by its bounds, and shows another clock while it idles. What another program changes is set again a
    few times, then said and left to it for a while. A clock that does not get as high as it is asked to be is
    a cap, such as heat sets. Nothing is touched before the first ``set``, so that a machine whose clocks
    cannot be set may have one, too.

    Args:
        profile: clusters of the machine.
        now: monotonic seconds.
        on_message: called with each message.

    Example:
        >>> with Clocks(CpuFreq(), profile) as clocks:                 # doctest: +SKIP
        ...     clocks.set("big", 1_800_000)
    """

    def __init__(
        self,
        cpufreq: CpuFreq,
        profile: SocProfile,
        *,
        now: Callable[[], float] = time.monotonic,
        on_message: Callable[[str], None] = lambda message: None,
    ):
        self._cpufreq, self._profile, self._now, self._on_message = cpufreq, profile, now, on_message
        self._complain = unrepeated(on_message)
        self._held: dict[str, _Held] = {}
        self._spans: list[str] = []  # clusters used as one that were asked for last
        self._stack = contextlib.ExitStack()
        self.changes = 0

    def __enter__(self) -> Clocks:
        return self

    def __exit__(self, *error: object) -> None:
        self._held.clear()
        self._stack.close()

    def apply(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """Set these clusters' clocks in kHz, leave the others' to the kernel; return those that were reached.

        What cannot be done is said and left out: a clock that somebody else holds must not end the frames.
        Of clusters that are used as one, each keeps nearest to the clock, or above it where it is asked to.
        """
        self._spans = [cluster for cluster in wanted if self._parts(cluster)[1:]]
        asked: dict[str, int] = {}
        for cluster, freq_khz in wanted.items():
            for part in self._parts(cluster):
                asked[part.name] = max(asked.get(part.name, 0), _own_khz(part, cluster, freq_khz))
        reached = set()
        for name, freq_khz in asked.items():
            try:
                if self.set(name, freq_khz):
                    reached.add(name)
            except (DeviceError, PermissionNeeded) as err:
                self._complain(str(err))
        for name in [held for held in self._held if held not in asked]:
            self.release(name)
        return {c: khz for c, khz in wanted.items() if all(part.name in reached for part in self._parts(c))}

    def set(self, cluster: str, freq_khz: int) -> bool:
        """Ask for a clock; return whether the cluster has it now.

        Raises:
            ValueError: no such cluster or clock.
            PermissionNeeded: /sys is not writable.
            DeviceError: another run holds it, or the driver refuses.
        """
        held = self._take(cluster)
        if self._now() < held.lost_until_s:
            return False
        if held.asked_khz != freq_khz:
            held.asked_khz = freq_khz
            held.clock.set(freq_khz)
            self.changes += 1
        return self._hold(cluster, held)

    def release(self, cluster: str) -> None:
        """Leave a cluster's clock to the kernel."""
        held = self._held.get(cluster)
        if held is not None and held.asked_khz is not None:
            held.asked_khz = None
            self.changes += 1
            try:
                held.clock.release()
            except (DeviceError, PermissionNeeded) as err:
                # Another program writes it, too; when all ends it is tried again.
                self._complain(f"{cluster}: {err}")

    def check(self) -> None:
        """Look at every clock that is asked for, and set again what others changed."""
        for cluster, held in self._held.items():
            try:
                if held.asked_khz is not None:
                    self._hold(cluster, held)
            except (DeviceError, PermissionNeeded) as err:
                self._complain(str(err))

    def is_lost(self, cluster: str) -> bool:
        """Return whether another program has the clock for now."""
        held = [self._held[part.name] for part in self._parts(cluster) if part.name in self._held]
        return any(self._now() < each.lost_until_s for each in held)

    def read_khz(self, cluster: str) -> int | None:
        """Return a cluster's clock as it was shown last; ``None``: it was not asked for, or is not told."""
        held = self._held.get(self._parts(cluster)[-1].name)  # whose clocks are those of several as one
        return None if held is None or held.asked_khz is None else held.read_khz

    @property
    def caps(self) -> dict[str, int]:
        """Highest clock that each limited cluster reached lately."""
        now_s = self._now()
        caps = {
            c: h.cap_khz for c, h in self._held.items() if h.cap_khz is not None and now_s < h.cap_until_s
        }
        for span in self._spans:
            limited = [(part, caps[part.name]) for part in self._parts(span) if part.name in caps]
            if limited:
                clocks = [opp.freq_khz for opp in self._profile.cluster(span).opps]
                within = [khz for khz in clocks if all(p.nearest_khz(khz) <= cap for p, cap in limited)]
                caps[span] = max(within, default=clocks[0])
        return caps

    def _parts(self, cluster: str) -> tuple[Cluster, ...]:
        return self._profile.cluster(cluster).parts

    def _take(self, cluster: str) -> _Held:
        if cluster not in self._held:
            domain = self._cpufreq.domain_of(self._profile.cluster(cluster).cpus)
            self._held[cluster] = _Held(self._stack.enter_context(self._cpufreq.take(domain)))
        return self._held[cluster]

    def _hold(self, cluster: str, held: _Held) -> bool:
        assert held.asked_khz is not None
        was_khz = self._missed_khz(held)
        if was_khz is None and held.clock.is_set():
            return True
        asked_khz, now_s = held.asked_khz, self._now()
        was_khz = was_khz or held.read_khz
        held.clock.set(asked_khz)
        got_khz = self._missed_khz(held)
        if got_khz is not None and got_khz < asked_khz:
            if held.cap_khz != got_khz or now_s >= held.cap_until_s:
                self._on_message(
                    f"{cluster} was set to {asked_khz} kHz and gets {got_khz}: a limit, as of heat"
                )
            held.cap_khz, held.cap_until_s = got_khz, now_s + _CAP_S
            return False
        held.reapplied_s.append(now_s)
        if len(held.reapplied_s) > _MOST_REAPPLIED and now_s - held.reapplied_s[0] < _FIGHT_S:
            self._on_message(
                f"{cluster}: another program set the clock {len(held.reapplied_s)} times (to {was_khz} kHz); "
                f"it is left to the kernel for {_LOST_S:g} s: stop that program, or this governor"
            )
            held.reapplied_s.clear()
            held.lost_until_s = now_s + _LOST_S
            self.release(cluster)
            return False
        self._on_message(
            f"{cluster} was changed to {was_khz} kHz by another program; set to {asked_khz} kHz again"
        )
        return True

    def _missed_khz(self, held: _Held) -> int | None:
        """Return the clock that is there instead of the one asked for; measured ones never equal that."""
        assert held.asked_khz is not None
        held.read_khz = self._cpufreq.read_khz(held.clock.domain)
        return missed_khz(held.clock.domain, held.asked_khz, held.read_khz)


def _own_khz(part: Cluster, cluster: str, freq_khz: int) -> int:
    """Return the clock that a part of ``cluster`` keeps when that one is asked for ``freq_khz``."""
    return freq_khz if part.name == cluster else part.nearest_khz(freq_khz)


def unrepeated(on_message: Callable[[str], None]) -> Callable[[str], None]:
    """Return ``on_message`` without messages that equal the one before: what fails is tried with each frame.

    Example:
        >>> say = unrepeated(print)
        >>> say("no"), say("no")
        no
        (None, None)
    """
    last = ""

    def once(message: str) -> None:
        nonlocal last
        if message != last:
            last = message
            on_message(message)

    return once
