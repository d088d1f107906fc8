"""The machine that sessions share: its clocks and cores, changed without an error that ends the governor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from runtime.choose.decision.arbitration import place
from runtime.device.actuators import move
from runtime.device.meters.threads import read_threads
from runtime.device.soc import SocProfile
from runtime.errors import DeviceError, PermissionNeeded
from runtime.govern.governor.clocks import Clocks, unrepeated

Mover = Callable[[Sequence[int], Sequence[int]], None]


class GovernedMachine:
    """Clocks and cores of one machine.

    Args:
        profile: its clusters.
        clocks: entered already.
        mover: puts threads on CPUs.
        on_message: called with each message.
    """

    def __init__(
        self,
        profile: SocProfile,
        clocks: Clocks,
        *,
        mover: Mover = move,
        on_message: Callable[[str], None] = lambda message: None,
    ):
        self.profile, self.clocks, self._mover = profile, clocks, mover
        self._complain = unrepeated(on_message)

    def move(
        self,
        tids: Sequence[int],
        cluster: str,
        threads: int,
        taken: Iterable[Sequence[int]] = (),
        now: Sequence[int] | None = None,
    ) -> tuple[int, ...] | None:
        """Put threads on a cluster, and return its CPUs that they have now; ``None`` where it failed.

        A failure is said and ends no frames.

        Args:
            threads: how many CPUs they need.
            taken: CPUs of other sessions.
            now: where they are; moving to the same cluster changes nothing.
        """
        cpus = place(self.profile.cluster(cluster).cpus, threads, taken)
        if now is not None and set(now) <= set(self.profile.cluster(cluster).cpus) and len(now) == len(cpus):
            return tuple(now)  # other sessions came and went: no reason to move
        try:
            self._mover(tids, cpus)
        except (DeviceError, PermissionNeeded) as err:
            self._complain(str(err))
            return None
        return cpus


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
        return  # it ended, or its cpuset was changed meanwhile: nothing of ours is left to restore
