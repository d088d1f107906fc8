"""Serves sessions: decides for each, merges what they ask of shared clocks, moves their threads."""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence

from runtime.choose.decision import Row
from runtime.choose.decision.arbitration import demanded_khz
from runtime.choose.decision.controller import Decision
from runtime.choose.decision.margin import Margin
from runtime.device.setting import Setting
from runtime.govern.governor.heat import HeatCap
from runtime.govern.governor.machine import Machine, read_affinity, threads_of, write_affinity
from runtime.govern.governor.session import Session
from runtime.govern.governor.tables import Rows
from runtime.measure.frame_log import FrameLine

_FEEL_S = 1.0  # between looks at the temperature
_SLEEP_S = 5.0  # without a report: the program waits for its user, or hangs
_MOST_TRIES = 4  # of a decision, each under the caps that the one before met


class Governor:
    """The sessions on one machine. Opens no socket: see ``server``.

    Args:
        rows: that sessions may run at.
        margin: how late frames are answered.
        session_type: makes a session of what ``Session`` takes.
        heat: keeps the temperature that ``read_temp_c`` tells; ``None``: heat is the kernel's matter.
        now: monotonic seconds.
        write: called with each frame.
        tell: called with each remark.

    Example:
        >>> governor = Governor(machine, rows)                               # doctest: +SKIP
        >>> session = governor.open(pid, (pid,), target_ms=33.3)             # doctest: +SKIP
        >>> governor.report(session.number, actual_ms=21.0).row.freq_khz     # doctest: +SKIP
    """

    def __init__(
        self,
        machine: Machine,
        rows: Rows,
        *,
        margin: Margin | None = None,
        session_type: Callable[..., Session] = Session,
        heat: HeatCap | None = None,
        read_temp_c: Callable[[], float | None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
        write: Callable[[FrameLine], None] = lambda line: None,
        tell: Callable[[str], None] = lambda remark: None,
    ):
        self.machine, self.rows = machine, rows
        self.sessions: dict[int, Session] = {}
        self.frames_at: Counter[str] = Counter()
        self.frames = self.late = self.untrusted = 0
        self._margin, self._session_type, self._now = margin or Margin(), session_type, now
        self._heat, self._read_temp_c, self._felt_s = heat, read_temp_c, -math.inf
        self._max_power_mw = math.inf
        self._write, self._tell = write, tell
        self._numbers = itertools.count(1)
        self._begun_s = now()
        self._fixed: Setting | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds since the governor began."""
        return self._now() - self._begun_s

    def fix(self, pid: int, setting: Setting) -> None:
        """Run a process that reports no frames at ``setting``, as long as there is no session."""
        self._fixed = setting
        self._set_clocks()
        self.machine.move(threads_of(pid), setting.cluster, setting.threads)

    def open(
        self,
        pid: int,
        tids: tuple[int, ...],
        target_ms: float,
        name: str = "",
        period_ms: float | None = None,
    ) -> Session:
        """Begin a session.

        Args:
            period_ms: between two frames; default: ``target_ms``.

        Raises:
            ValueError: a duration that cannot be.
        """
        number = next(self._numbers)
        session = self._session_type(number, pid, tids, name, self.rows, target_ms, self._margin, period_ms)
        session.affinity = {tid: cpus for tid in tids if (cpus := read_affinity(tid)) is not None}
        session.last_s = self._now()
        self.sessions[session.number] = session
        self._decide(session)
        return session

    def begin(self, number: int, left_ms: float | None = None) -> Session:
        """Set the machine for a frame that begins now.

        Args:
            left_ms: until the frame is due; default: the target.

        Raises:
            ValueError: no such session.
        """
        session = self.session(number)
        if session.is_told_of_begins:
            self._decide(session, lambda now_s: session.begin(left_ms, now_s))
        return session

    @property
    def change_s(self) -> float:
        """When a frame that runs is to go on at another setting; see ``change``."""
        return min((session.change_s for session in self.sessions.values()), default=math.inf)

    def change(self) -> None:
        """Set the machine for the frames that are to go on at another setting by now."""
        for session in self.sessions.values():
            if session.change_s <= self._now():
                self._decide(session, session.change)

    def report(self, number: int, actual_ms: float, late: bool | None = None) -> Session:
        """Take note of a frame, and set the machine for the next one.

        Args:
            late: whether it missed its time; default: whether it took longer than the target.

        Raises:
            ValueError: a duration that cannot be, or no such session.
        """
        session = self.session(number)
        is_late = actual_ms > session.target_ms if late is None else late
        line = self._line(session, actual_ms, is_late)
        session.report(actual_ms, is_late, self._now())
        self._write(line)
        self.frames_at[session.setting_text] += 1
        self.frames += 1
        self.late += is_late
        self.untrusted += not session.is_trusted
        self._decide(session)
        return session

    def retarget(self, number: int, target_ms: float) -> Session:
        """Give a session another target duration; raises as ``open`` and ``report``."""
        session = self.session(number)
        session.retarget(target_ms)
        session.last_s, session.is_asleep = self._now(), False
        self._decide(session)
        return session

    def close(self, number: int) -> None:
        """End a session; its threads may run again where they could before."""
        session = self.sessions.pop(number)
        for tid, cpus in session.affinity.items():
            write_affinity(tid, cpus)
        self._set_clocks()

    def tick(self) -> None:
        """Look after the clocks between frames."""
        self.machine.check()
        now_s = self._now()
        if self._heat is not None and now_s - self._felt_s >= _FEEL_S:
            self._felt_s = now_s
            self._feel(self._heat)
        for session in self.sessions.values():
            if not session.is_asleep and now_s - session.last_s > _SLEEP_S:
                session.is_asleep, session.in_effect = True, None  # a frame now would teach nothing
                self._set_clocks()

    def _feel(self, heat: HeatCap) -> None:
        temp_c, before_mw = self._read_temp_c(), self._max_power_mw
        self._max_power_mw = heat.step(temp_c)
        if self._max_power_mw != before_mw:
            what = f"at most {self._max_power_mw:g} mW" if math.isfinite(self._max_power_mw) else "no cap"
            self._tell(f"{temp_c:.1f} C, {heat.limit_c:g} C are allowed: {what} from now on")
            for session in self.sessions.values():
                if not session.is_asleep:
                    self._decide(session)

    def session(self, number: int) -> Session:
        """Return the session of that number.

        Raises:
            ValueError: there is none.
        """
        if number not in self.sessions:
            raise ValueError(f"there is no session {number}; open one first")
        return self.sessions[number]

    def _decide(self, session: Session, choose: Callable[[float], Decision] | None = None) -> None:
        """Have ``choose`` (default: for the next frame) tell what a session is to run at, and apply that."""
        for _ in range(_MOST_TRIES):
            caps = dict(self.machine.caps)
            session.limit(caps, self._max_power_mw)
            decision = (choose or session.decide)(self._now())
            choose = None  # under other limits the same is chosen again
            if decision.reason:
                self._tell(f"{session.label}: {decision.reason}")
            if self._apply(session) or self.machine.caps == caps:
                return

    def _apply(self, session: Session) -> bool:
        """Bring the machine to what the sessions ask for; return whether this one has what it asked."""
        row = session.row
        if row is None:  # the kernel's clock, on the cores where a frame is in time if it can be
            row = session.controller.table.rows[session.controller.fastest()]._replace(freq_khz=None)
        reached = self._set_clocks()
        taken = [other.cpus for other in self.sessions.values() if other is not session and other.cpus]
        cpus = self.machine.move(session.tids, row.cluster, row.threads, taken, session.cpus)
        session.is_cold |= cpus not in (None, session.cpus)
        session.cpus = cpus or session.cpus
        session.in_effect = None
        if session.decision.row is None:
            return True
        if row.freq_khz is None:
            session.in_effect = session.decision.row if cpus else None
        elif cpus and row.cluster in reached:
            session.in_effect = session.row_at(row.cluster, reached[row.cluster])
        elif self.machine.is_lost(row.cluster):
            session.controller.trust.distrust(self._now())
        return session.in_effect is not None

    def _set_clocks(self) -> dict[str, int]:
        """Set what is asked for now, and return the clocks that were reached."""
        wanted = demanded_khz(s.row for s in self.sessions.values() if not s.is_asleep)
        if not self.sessions and self._fixed is not None and self._fixed.freq_khz is not None:
            wanted = {self._fixed.cluster: self._fixed.freq_khz}
        reached = self.machine.set_clocks(wanted)
        return {cluster: wanted[cluster] for cluster in reached}

    def _line(self, session: Session, actual_ms: float, is_late: bool) -> FrameLine:
        rows = session.controller.table.rows
        row = None if session.in_effect is None else rows[session.in_effect]
        power_mw = None if row is None else row.power_mw
        return FrameLine(
            start_s=max(0.0, self.elapsed_s - actual_ms / 1e3),
            latency_ms=actual_ms,
            late=is_late,
            cluster=session.cluster,
            freq_khz=None if row is None else row.freq_khz,
            power_mw=power_mw,
            energy_mj=_energy_mj(rows, session.parts(actual_ms)),
            trusted=session.is_trusted,
            reason=session.decision.reason,
        )


def _energy_mj(rows: Sequence[Row], parts: Sequence[tuple[int | None, float]]) -> float | None:
    """Return what a frame took, by the power of the rows it ran at; ``None``: that of one is not known."""
    powers_mw = [None if index is None else rows[index].power_mw for index, _ in parts]
    if None in powers_mw:
        return None
    return sum(power_mw * ms for power_mw, (_, ms) in zip(powers_mw, parts, strict=True) if power_mw) / 1e3
