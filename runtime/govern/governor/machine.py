"""The machine that sessions share: its clocks and cores, changed without an error ending the governor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from runtime.choose.decision.arbitration import place
from runtime.device.actuators import move
from runtime.device.meters.threads import read_threads
from runtime.device.soc import SocProfile
from runtime.errors import DeviceError, PermissionNeeded
from runtime.govern.governor.clocks import Clocks

Mover = Callable[[Sequence[int], Sequence[int]], None]


class Machine:
    """Clocks and cores of one machine.

    What cannot be done is told and left out: a clock that somebody else holds must not end the frames.

    Args:
        profile: its clusters.
        clocks: entered already; ``None`` where clocks cannot be set and only cores are chosen.
        mover: puts threads on CPUs.
        tell: called with each remark.
    """

    def __init__(
        self,
        profile: SocProfile,
        clocks: Clocks | None,
        *,
        mover: Mover = move,
        tell: Callable[[str], None] = lambda remark: None,
    ):
        self.profile, self._clocks, self._mover = profile, clocks, mover
        self._tell = tell
        self._last_told = ""

    @property
    def caps(self) -> Mapping[str, int]:
        """Highest clock of each cluster that a limit keeps down."""
        return {} if self._clocks is None else self._clocks.caps

    @property
    def changes(self) -> int:
        """How often a clock was changed."""
        return 0 if self._clocks is None else self._clocks.changes

    def is_lost(self, cluster: str) -> bool:
        """Return whether another program has the clock of a cluster."""
        return self._clocks is not None and self._clocks.is_lost(cluster)

    def set_clocks(self, wanted: Mapping[str, int]) -> set[str]:
        """Set these clusters' clocks, and return those that have them; the others go to the kernel."""
        if self._clocks is None:
            return set()
        clocks = self._clocks
        reached = {
            cluster
            for cluster, freq_khz in wanted.items()
            if self._try(lambda c=cluster, khz=freq_khz: clocks.set(c, khz))  # type: ignore[misc]
        }
        for cluster in self.profile.clusters:
            if cluster.name not in wanted:
                self._try(lambda c=cluster.name: clocks.release(c))  # type: ignore[misc]
        return reached

    def check(self) -> None:
        """Look whether the clocks are still as they were set."""
        if self._clocks is not None:
            self._try(self._clocks.check)

    def move(
        self,
        tids: Sequence[int],
        cluster: str,
        threads: int,
        taken: Iterable[Sequence[int]] = (),
        now: Sequence[int] | None = None,
    ) -> tuple[int, ...] | None:
        """Put threads on a cluster, and return its CPUs that they have now; ``None`` where it failed.

        Args:
            threads: how many CPUs they need.
            taken: CPUs of other sessions.
            now: where they are; moving there changes nothing.
        """
        cpus = place(self.profile.cluster(cluster).cpus, threads, taken)
        if now is not None and set(now) <= set(self.profile.cluster(cluster).cpus) and len(now) == len(cpus):
            return tuple(now)  # other sessions came and went: no reason to move
        return cpus if self._try(lambda: self._mover(tids, cpus) or True) else None

    def _try(self, action: Callable[[], object]) -> bool:
        try:
            return bool(action())
        except (DeviceError, PermissionNeeded) as err:
            if str(err) != self._last_told:  # it will be tried with every frame
                self._last_told = str(err)
                self._tell(str(err))
            return False


def threads_of(pid: int, root: Path = Path("/")) -> tuple[int, ...]:
    """Return the threads of a process; empty when it is gone."""
    return tuple(thread.tid for thread in read_threads(pid, root))


def read_affinity(tid: int) -> set[int] | None:
    """Return the CPUs a thread may run on, ``None`` where it is gone."""
    try:
        return os.sched_getaffinity(tid)
    except OSError:
        return None


def write_affinity(tid: int, cpus: set[int]) -> None:
    """Let a thread run on ``cpus`` again, if it is still there."""
    try:
        os.sched_setaffinity(tid, cpus)
    except OSError:
        return  # it ended, or its cpuset was changed meanwhile: nothing of ours is left to undo
