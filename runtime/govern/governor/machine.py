"""The machine that sessions share: its clocks and cores, changed without an error that ends the governor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from runtime.device.actuators import Journal, Places, born_of, move, read_places, restore_places
from runtime.device.actuators.threads_left import note_threads
from runtime.device.meters.threads import read_threads
from runtime.device.soc import Cluster, SocProfile
from runtime.errors import DeviceError, PermissionNeeded
from runtime.govern.governor.change_times import ChangeTimes
from runtime.govern.governor.clocks import Clocks, unrepeated

Mover = Callable[[Sequence[int], Sequence[int]], object]


class GovernedMachine:
    """Clocks and cores of one machine.

    Args:
        profile: its clusters.
        clocks: entered already.
        mover: puts threads on CPUs.
        journal: where it is noted which threads are moved, so that they can be restored after a kill.
        on_message: called with each message.

    Attributes:
        change_times: what changes took.
        problem: why threads could not be moved or restored last; empty: they were.
    """

    def __init__(
        self,
        profile: SocProfile,
        clocks: Clocks,
        *,
        mover: Mover = move,
        journal: Journal | None = None,
        on_message: Callable[[str], None] = lambda message: None,
    ):
        self.profile, self.clocks, self._mover, self._journal = profile, clocks, mover, journal
        self._owed: dict[tuple[int, ...], Path] = {}  # notes, by the threads that they are about
        self._complain = unrepeated(on_message)
        self.problem = ""
        self.change_times = ChangeTimes()

    def take(self, tids: Sequence[int]) -> Places:
        """Return where threads may run, and note it before they are moved; see ``restore_places``."""
        places = read_places(tids)
        key = tuple(places.cpus)
        if self._journal is not None and key:
            try:
                self._owed[key] = self._journal.write(note_threads(places))
            except PermissionNeeded as err:
                self._complain(f"threads could not be restored after a kill: {err}")
        return places

    def move(
        self,
        tids: Sequence[int],
        cluster: str,
        threads: int,
        taken: Iterable[Sequence[int]] = (),
        now: Sequence[int] | None = None,
        places: Places | None = None,
    ) -> tuple[int, ...] | None:
        """Put threads on a cluster, and return its CPUs that they have now; ``None`` where it failed.

        All of them are moved, or none. A failure is said and ends no frames.

        Args:
            threads: how many CPUs they need.
            taken: CPUs of other sessions.
            now: where they are; moving to the same cluster changes nothing.
            places: where they could run at first: what they have started since goes with them.
        """
        self.problem = ""
        place = self.profile.cluster(cluster)
        cpus = place.place(threads, taken)
        shares = place.shares(len(cpus))
        if now is not None and len(now) == len(cpus) and all(_has(now, part, n) for part, n in shares):
            return tuple(now)  # other sessions came and went: no reason to move
        born = () if places is None else born_of(places)
        if self._tries(lambda: self._mover((*tids, *born), cpus)):
            return cpus
        return None

    def restore_places(self, places: Places) -> None:
        """Let threads, and what they started, run where they could before."""
        if self._tries(lambda: restore_places(places, born_of(places))):
            owed = self._owed.pop(tuple(places.cpus), None)
            if owed is not None:
                owed.unlink(missing_ok=True)

    def _tries(self, act: Callable[[], object]) -> bool:
        self.problem = ""
        try:
            act()
        except (DeviceError, PermissionNeeded) as err:
            self.problem = str(err)
            self._complain(self.problem)
        return not self.problem


def _has(cpus: Sequence[int], part: Cluster, count: int) -> bool:
    return len(set(cpus) & set(part.cpus)) == count


def threads_of(pid: int, root: Path = Path("/")) -> tuple[int, ...]:
    """Return the threads of a process; empty when it is gone."""
    return tuple(thread.tid for thread in read_threads(pid, root))
