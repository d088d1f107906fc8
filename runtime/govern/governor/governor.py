"""Governs sessions: decides for each, merges what they ask of shared clocks, moves their threads."""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter
from collections.abc import Callable

from runtime.choose.decision import Decision
from runtime.choose.decision.arbitration import demanded_khz
from runtime.device.setting import Setting
from runtime.govern.governor.fixed import FixedProcess
from runtime.govern.governor.gestures import HeldStrategy
from runtime.govern.governor.heat import HeatCap
from runtime.govern.governor.machine import GovernedMachine
from runtime.govern.governor.session import GESTURE_SLEEP_S, GovernedSession, Strategy
from runtime.measure.frame_log import FrameLine

# Between looks at the temperature. Device trees have the kernel poll CPU zones about as often (polling-delay,
# 1000 ms for msm8996), and a step of the cap takes time to show: more often would step too far.
_LOOK_S = 1.0
# Of a decision, each under the caps that the one before met: heat may limit one cluster after the other, and
# phones have three or four. What is then still not reached is found again with the next frame.
_MOST_TRIES = 4


class Governor:
    """The sessions on one machine. Opens no socket: see ``server``.

    Args:
        new_strategy: makes the strategy of a session, from its deadline and its period in ms.
        hold: makes that of a session of gestures, from a cluster and a clock in kHz.
        heat: keeps the temperature that ``read_temp_c`` returns; ``None``: heat is the kernel's matter.
        now: monotonic seconds.
        write: called with each frame.
        on_message: called with each message.

    Example:
        >>> governor = Governor(machine, lambda deadline_ms, period_ms:
        ...                     Controller(table, deadline_ms))              # doctest: +SKIP
        >>> session = governor.open(pid, (pid,), deadline_ms=33.3)           # doctest: +SKIP
        >>> governor.report(session.number, actual_ms=21.0).row.setting     # doctest: +SKIP
    """

    def __init__(
        self,
        machine: GovernedMachine,
        new_strategy: Callable[[float, float], Strategy],
        *,
        hold: Callable[[str, int], HeldStrategy] | None = None,
        heat: HeatCap | None = None,
        read_temp_c: Callable[[], float | None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
        write: Callable[[FrameLine], None] = lambda line: None,
        on_message: Callable[[str], None] = lambda message: None,
    ):
        self.machine = machine
        self.sessions: dict[int, GovernedSession] = {}
        self.frames_at: Counter[str] = Counter()
        self.frames = self.late = self.untrusted = 0
        self._new_strategy, self._hold, self._now = new_strategy, hold, now
        self._heat, self._read_temp_c, self._looked_s = heat, read_temp_c, -math.inf
        self._max_power_mw = math.inf
        self._write, self._on_message = write, on_message
        self._numbers = itertools.count(1)
        self._begun_s = now()
        self._fixed: FixedProcess | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds since the governor began."""
        return self._now() - self._begun_s

    def fix(self, pid: int, setting: Setting) -> None:
        """Run a process that reports no frames at ``setting``, as long as there is no session."""
        self._fixed = FixedProcess(self.machine, pid, setting)
        self._set_clocks()
        self._fixed.move()

    def open(
        self,
        pid: int,
        tids: tuple[int, ...],
        deadline_ms: float,
        name: str = "",
        period_ms: float | None = None,
    ) -> GovernedSession:
        """Begin a session.

        Args:
            deadline_ms: that each frame is to keep, after its arrival.
            period_ms: between two frames; default: ``deadline_ms``.

        Raises:
            ValueError: a duration that cannot be.
        """
        strategy = self._new_strategy(deadline_ms, deadline_ms if period_ms is None else period_ms)
        return self._enter(GovernedSession(next(self._numbers), pid, tids, name, strategy))

    def open_gestures(
        self, pid: int, tids: tuple[int, ...], cluster: str, freq_khz: int, name: str = ""
    ) -> GovernedSession:
        """Begin a session of gestures, at a setting; raises ValueError where the machine has none such."""
        if self._hold is None:
            raise ValueError("this governor holds no settings for gestures")
        strategy = self._hold(cluster, freq_khz)
        session = GovernedSession(next(self._numbers), pid, tids, name, strategy, sleep_s=GESTURE_SLEEP_S)
        return self._enter(session)

    def hold(self, number: int, cluster: str, freq_khz: int) -> GovernedSession:
        """Keep a session of gestures at another setting, from now on; raises as ``open_gestures``."""
        session, strategy = self._gestures(number)
        strategy.hold(cluster, freq_khz)
        session.wake(self._now())
        self._decide(session)
        return session

    def report_gesture(self, number: int, frames: int, late: int) -> GovernedSession:
        """Take note of a gesture: frames that were due in it, and those of them that came late or never."""
        session, _ = self._gestures(number)
        session.count(frames, late, self._now())
        self._count(session, frames, late)
        return session

    def use_threads(self, number: int, tids: tuple[int, ...]) -> GovernedSession:
        """Hold other threads in a session of gestures, as when a page gets a new process; the old go back."""
        session, _ = self._gestures(number)
        self.machine.restore_places(session.places)
        session.tids, session.places, session.cpus = tids, self.machine.take(tids), None
        session.wake(self._now())
        self._decide(session)
        return session

    def begin(self, number: int, remaining_ms: float | None = None) -> GovernedSession:
        """Set the machine for a frame that begins now.

        Args:
            remaining_ms: until the frame's deadline; default: all of it.

        Raises:
            ValueError: no such session.
        """
        session = self.session(number)
        if session.within is not None:
            self._decide(session, lambda now_s: session.begin(remaining_ms, now_s))
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

    def report(self, number: int, actual_ms: float, late: bool | None = None) -> GovernedSession:
        """Take note of a frame, and set the machine for the next one.

        Args:
            late: whether it missed its deadline; default: whether it took longer than that.

        Raises:
            ValueError: a duration that cannot be, or no such session.
        """
        session = self.session(number)
        is_late = actual_ms > session.strategy.deadline_ms if late is None else late
        start_s = max(0.0, self.elapsed_s - actual_ms / 1e3)
        line = session.line(start_s, actual_ms, is_late, self.machine.clocks.read_khz(session.place.cluster))
        session.report(actual_ms, is_late, self._now())
        self._write(line)
        self._count(session, 1, is_late)
        self._decide(session)
        return session

    def retarget(self, number: int, deadline_ms: float) -> GovernedSession:
        """Give a session another deadline; raises as ``open`` and ``report``."""
        session = self.session(number)
        session.strategy.retarget(deadline_ms)
        session.wake(self._now())
        self._decide(session)
        return session

    def close(self, number: int) -> None:
        """End a session; its threads may run again where they could before."""
        session = self.sessions.pop(number)
        self.machine.restore_places(session.places)
        self._set_clocks()
        if not self.sessions and self._fixed is not None:
            self._fixed.move()

    def end(self) -> None:
        """Let the process go that reports no frames."""
        if self._fixed is not None:
            self._fixed.leave()

    def tick(self) -> None:
        """Look after the clocks between frames."""
        self.machine.clocks.check()
        now_s = self._now()
        if self._heat is not None and now_s - self._looked_s >= _LOOK_S:
            self._looked_s = now_s
            self._keep_cool(self._heat)
        for session in self.sessions.values():
            if not session.is_asleep and now_s - session.last_s > session.sleep_s:
                session.is_asleep, session.in_effect = True, None  # a frame now would teach nothing
                self._set_clocks()

    def session(self, number: int) -> GovernedSession:
        """Return the session of that number.

        Raises:
            ValueError: there is none.
        """
        if number not in self.sessions:
            raise ValueError(f"there is no session {number}; open one first")
        return self.sessions[number]

    def _enter(self, session: GovernedSession) -> GovernedSession:
        self.end()
        session.wake(self._now())
        session.places = self.machine.take(session.tids)
        self.sessions[session.number] = session
        self._decide(session)
        return session

    def _gestures(self, number: int) -> tuple[GovernedSession, HeldStrategy]:
        session = self.session(number)
        if not isinstance(session.strategy, HeldStrategy):
            raise ValueError(
                "this is a session of frames; begin one with open_gestures in another connection"
            )
        return session, session.strategy

    def _count(self, session: GovernedSession, frames: int, late: int) -> None:
        self.frames_at[session.setting_text] += frames
        self.frames += frames
        self.late += late
        self.untrusted += 0 if session.is_trusted else frames

    def _keep_cool(self, heat: HeatCap) -> None:
        temp_c, before_mw = self._read_temp_c(), self._max_power_mw
        self._max_power_mw = heat.step(temp_c)
        if self._max_power_mw != before_mw:
            what = f"at most {self._max_power_mw:g} mW" if math.isfinite(self._max_power_mw) else "no cap"
            self._on_message(f"{temp_c:.1f} C, {heat.limit_c:g} C are allowed: {what} from now on")
            for session in self.sessions.values():
                if not session.is_asleep:
                    self._decide(session)

    def _decide(self, session: GovernedSession, choose: Callable[[float], Decision] | None = None) -> None:
        """Let ``choose`` (default: for the next frame) decide what a session is to run at, and apply that."""
        strategy, clocks = session.strategy, self.machine.clocks
        for _ in range(_MOST_TRIES):
            caps = clocks.caps
            strategy.caps, strategy.max_power_mw = caps, self._max_power_mw
            session.decision = (choose or strategy.decide)(self._now())
            choose = None  # under other limits the same is chosen again
            if session.decision.reason:
                self._on_message(f"{session.label}: {session.decision.reason}")
            if self._apply(session) or clocks.caps == caps:
                return

    def _apply(self, session: GovernedSession) -> bool:
        """Bring the machine to what the sessions ask for; return whether this one has what it asked."""
        place, clocks = session.place, self.machine.clocks
        begin_s, changes = self._now(), clocks.changes
        reached = self._set_clocks()
        taken = [other.cpus for other in self.sessions.values() if other is not session and other.cpus]
        cpus = self.machine.move(
            session.tids, place.cluster, place.threads, taken, session.cpus, session.places
        )
        session.unmoved = self.machine.problem
        is_moved = cpus not in (None, session.cpus)
        if is_moved or clocks.changes > changes:
            self.machine.change_times.note((self._now() - begin_s) * 1e3, is_move=is_moved)
        session.is_cold |= is_moved
        session.cpus = cpus or session.cpus
        session.in_effect = None
        if session.decision.row is None:
            return True
        if place.freq_khz is None:
            session.in_effect = session.decision.row if cpus else None
        elif cpus and place.cluster in reached:
            session.in_effect = session.row_at(place.cluster, reached[place.cluster])
        elif clocks.is_lost(place.cluster):
            session.strategy.trust.distrust(self._now())
        return session.in_effect is not None

    def _set_clocks(self) -> dict[str, int]:
        """Set what is asked for now, and return the clocks that were reached."""
        wanted = demanded_khz(s.row for s in self.sessions.values() if not s.is_asleep)
        if not self.sessions and self._fixed is not None:
            wanted = self._fixed.wanted
        return self.machine.clocks.apply(wanted)
