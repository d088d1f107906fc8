"""The real governor in charge of simulated machines: its sessions, strategies and decisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from runtime.choose.simulation.engine import Lanes, SimGovernor
from runtime.choose.simulation.platform import Platform
from runtime.device.actuators import Places
from runtime.device.soc import SocProfile
from runtime.govern.governor.change_times import ChangeTimes
from runtime.govern.governor.governor import Governor
from runtime.govern.governor.session import GovernedSession, Strategy

NewStrategy = Callable[[float, float], Strategy]


class SimMachine:
    """Stands for a machine and its clocks: all that is asked for is reached at once."""

    caps: Mapping[str, int] = MappingProxyType({})
    problem = ""
    changes = 0

    def __init__(self, profile: SocProfile):
        self.profile, self.clocks = profile, self
        self.change_times = ChangeTimes()
        self._khz: Mapping[str, int] = {}

    def apply(self, wanted: Mapping[str, int]) -> Mapping[str, int]:
        """Set the clusters' clocks in kHz and return those reached."""
        self._khz = wanted
        return wanted

    def read_khz(self, cluster: str) -> int | None:
        """Return the clock of a cluster, ``None`` where the kernel has it."""
        return self._khz.get(cluster)

    def take(self, tids: Sequence[int]) -> Places:
        """Return that there are no threads."""
        return Places({})

    def move(self, tids: Sequence[int], cluster: str, threads: int, *others: object) -> tuple[int, ...]:
        """Return the CPUs that the threads are on now."""
        return self.profile.cluster(cluster).place(threads)


class RuntimeGovernor(SimGovernor):
    """A governor with one session per lane.

    Args:
        platform: what it runs on.
        profile: of the same SoC.
        strategies: what makes the strategy of each lane.
        periods_ms: of each lane's frames.
        limits_ms: that each lane's frames are governed by.
    """

    name = "edgekit"

    def __init__(
        self,
        platform: Platform,
        profile: SocProfile,
        strategies: Sequence[NewStrategy],
        periods_ms: Sequence[float],
        limits_ms: Sequence[float],
    ):
        self.profile, self.strategies = profile, strategies
        self.periods_ms, self.limits_ms = periods_ms, limits_ms
        names = [platform.cluster_names[number] for number in platform.cluster]
        self.point_of: dict[tuple[str, int | None], int] = {}
        for point, cluster in enumerate(names):
            self.point_of[cluster, int(platform.freq_khz[point])] = point
            self.point_of[cluster, None] = point  # left to the kernel: at worst the highest, the last

    def begin(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.governors: list[Governor] = []
        self.sessions: list[GovernedSession] = []
        for lane, new_strategy in enumerate(self.strategies):
            # A nanosecond more, so that a moment which was asked for in seconds has come when it has in ms.
            now = lambda lane=lane: self.lanes.now_ms[lane] / 1e3 + 1e-9  # noqa: E731
            governor = Governor(SimMachine(self.profile), new_strategy, now=now)  # type: ignore[arg-type]
            session = governor.open(0, (), self.limits_ms[lane], period_ms=self.periods_ms[lane])
            self.governors.append(governor)
            self.sessions.append(session)
            self._follow(lane)

    def start(self, lanes: Lanes, mask: np.ndarray) -> None:
        for lane in np.flatnonzero(mask):
            remaining_ms = float(lanes.deadline_ms[lane] - lanes.now_ms[lane])
            self.governors[lane].begin(self.sessions[lane].number, remaining_ms)
            self._follow(lane)

    def timer(self, lanes: Lanes, mask: np.ndarray) -> None:
        for lane in np.flatnonzero(mask):
            self.governors[lane].change()
            self._follow(lane)

    def finish(self, lanes: Lanes, mask: np.ndarray) -> None:
        for lane in np.flatnonzero(mask):
            took_ms = float(lanes.now_ms[lane] - lanes.start_ms[lane])
            is_late = bool(lanes.now_ms[lane] > lanes.deadline_ms[lane] + 1e-6)
            self.governors[lane].report(self.sessions[lane].number, took_ms, is_late)
            self._follow(lane)

    def _follow(self, lane: int) -> None:
        """Bring the lane to what its session asks for now."""
        session = self.sessions[lane]
        self.lanes.wanted[lane] = self.point_of[session.place.cluster, session.place.freq_khz]
        self.lanes.timer_ms[lane] = session.change_s * 1e3
