"""Replay frames under a governor: event by event, all lanes at once.

Lanes are independent; each goes from its own event to its next: a frame arrives, a frame is done, a
governor's timer fires. Timers are deferrable, as the kernel's governors have them: one that runs out
while the core sleeps fires when it wakes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from runtime.choose.simulation.frames import Frames
from runtime.choose.simulation.platform import Platform


@dataclass(eq=False)
class Lanes:
    """What a governor may know, per lane; arrays of shape (n_lanes,).

    A governor writes ``wanted`` (an index of the platform's points) and ``timer_ms``, nothing else.

    Attributes:
        now_ms: the time.
        opp: point that runs.
        wanted: point to run from now on.
        timer_ms: when to be asked again.
        running: a frame is being worked on.
        arrival_ms, deadline_ms, start_ms: of the frame that runs, or ran last.
        busy_ms: time the core was busy so far, background load included.
        cycles: megacycles of the fastest point done so far for frames, changes of clock included.
        frame_cycles: value of ``cycles`` when the frame began.
        frame: number of the frame that runs, or comes next.
    """

    platform: Platform
    now_ms: np.ndarray
    opp: np.ndarray
    wanted: np.ndarray
    timer_ms: np.ndarray
    running: np.ndarray
    arrival_ms: np.ndarray
    deadline_ms: np.ndarray
    start_ms: np.ndarray
    busy_ms: np.ndarray
    cycles: np.ndarray
    frame_cycles: np.ndarray
    frame: np.ndarray

    @staticmethod
    def idle(platform: Platform, now_ms: np.ndarray) -> Lanes:
        """Return a lane for each time in ``now_ms``: no frame has come yet."""
        count = len(now_ms)
        return Lanes(
            platform=platform,
            now_ms=now_ms.copy(),
            opp=np.zeros(count, dtype=int),
            wanted=np.zeros(count, dtype=int),
            timer_ms=np.full(count, np.inf),
            running=np.zeros(count, dtype=bool),
            arrival_ms=now_ms.copy(),
            deadline_ms=now_ms.copy(),
            start_ms=now_ms.copy(),
            busy_ms=np.zeros(count),
            cycles=np.zeros(count),
            frame_cycles=np.zeros(count),
            frame=np.zeros(count, dtype=int),
        )


class SimGovernor:
    """What chooses the point: called at events, with a mask of the lanes concerned."""

    name = "governor"

    def begin(self, lanes: Lanes) -> None:
        """Choose the first point."""
        raise NotImplementedError

    def advance(self, lanes: Lanes, duration_ms: np.ndarray) -> None:
        """Account for ``duration_ms`` that pass from ``lanes.now_ms`` on."""

    def start(self, lanes: Lanes, mask: np.ndarray) -> None:
        """Frames begin."""

    def timer(self, lanes: Lanes, mask: np.ndarray) -> None:
        """Timers fire while frames run."""

    def finish(self, lanes: Lanes, mask: np.ndarray) -> None:
        """Frames are done; ``lanes.cycles - lanes.frame_cycles`` is what they took."""


@dataclass(frozen=True, eq=False)
class Replay:
    """What became of the frames.

    Attributes:
        finish_ms: shape (n_lanes, n_frames).
        late: finished after the deadline, same shape.
        energy_mj: per lane.
        transitions: changes of point per lane.
        busy_ms: for how long frames ran at each point, shape (n_lanes, n_points).
        timeline: (time in ms, point) of lane 0, where asked for.
    """

    governor: str
    finish_ms: np.ndarray
    late: np.ndarray
    energy_mj: np.ndarray
    transitions: np.ndarray
    busy_ms: np.ndarray
    timeline: tuple[tuple[float, int], ...] = field(default=())

    @property
    def late_pct(self) -> float:
        """Share of late frames in percent."""
        return 100.0 * float(self.late.mean())


def replay(
    platform: Platform,
    frames: Frames,
    governor: SimGovernor,
    *,
    settle: int = 0,
    queues: bool = True,
    timeline: bool = False,
) -> Replay:
    """Return what becomes of ``frames`` on ``platform`` under ``governor``.

    Args:
        settle: frames at the beginning of each lane whose energy, changes and busy time do not count.
        queues: frames that arrive while one runs wait in line. Else the next one arrives when that is done,
            and all that follow come as much later: a browser draws what came meanwhile as one frame.
        timeline: keep each change of point of lane 0.
    """
    count, length = frames.work.shape
    rows = np.arange(count)
    never = np.full((count, 1), np.inf)
    arrival_ms = np.hstack([frames.arrival_ms, never])
    deadline_ms = np.hstack([frames.deadline_ms, never])
    work = np.hstack([frames.work, never])
    finish_ms = np.full((count, length + 1), np.inf)
    speed, power_mw, waiting_mw = (
        platform.free_speed,
        platform.power_mw + platform.idle_mw,
        platform.waiting_mw,
    )
    background = platform.background_share
    left, energy_uj, behind_ms = np.zeros(count), np.zeros(count), np.zeros(count)
    transitions = np.zeros(count, dtype=int)
    busy_ms = np.zeros((count, len(speed)))
    lanes = Lanes.idle(platform, np.minimum(frames.arrival_ms[:, 0], 0.0))
    governor.begin(lanes)
    lanes.opp = lanes.wanted.copy()
    steps: list[tuple[float, int]] = [(float(lanes.now_ms[0]), int(lanes.opp[0]))]
    while True:
        busy, opp = lanes.running, lanes.opp
        pace = speed[opp]
        done_ms = lanes.now_ms + left / pace
        next_ms = np.where(
            busy, np.minimum(done_ms, lanes.timer_ms), arrival_ms[rows, lanes.frame] + behind_ms
        )
        alive = np.isfinite(next_ms)
        if not alive.any():
            break
        next_ms = np.where(alive, np.maximum(next_ms, lanes.now_ms), lanes.now_ms)
        duration_ms = next_ms - lanes.now_ms
        governor.advance(lanes, duration_ms)
        counts = lanes.frame >= settle
        energy_uj += duration_ms * counts * np.where(busy, power_mw[opp], waiting_mw[opp])
        busy_ms[rows, opp] += np.where(busy & counts, duration_ms, 0.0)
        lanes.busy_ms += duration_ms * np.where(busy, 1.0, background[opp])
        progress = np.where(busy, duration_ms * pace, 0.0)
        lanes.cycles += progress
        left -= progress
        lanes.now_ms = next_ms

        finished = busy & (done_ms <= lanes.timer_ms)
        if finished.any():
            finish_ms[rows[finished], lanes.frame[finished]] = next_ms[finished]
            lanes.running = busy & ~finished
            lanes.frame = lanes.frame + finished
            if not queues:
                over_ms = next_ms - arrival_ms[rows, lanes.frame] - behind_ms
                behind_ms += np.where(finished, np.maximum(over_ms, 0.0), 0.0)
            governor.finish(lanes, finished)
        fired = lanes.running & (lanes.timer_ms <= next_ms)
        started = ~lanes.running & alive & (arrival_ms[rows, lanes.frame] + behind_ms <= next_ms)
        if started.any():
            left = np.where(started, work[rows, lanes.frame], left)
            deadline_ms[rows, lanes.frame] += np.where(started, behind_ms, 0.0)
            lanes.arrival_ms = np.where(started, arrival_ms[rows, lanes.frame] + behind_ms, lanes.arrival_ms)
            lanes.deadline_ms = np.where(started, deadline_ms[rows, lanes.frame], lanes.deadline_ms)
            lanes.start_ms = np.where(started, next_ms, lanes.start_ms)
            lanes.frame_cycles = np.where(started, lanes.cycles, lanes.frame_cycles)
            lanes.running = lanes.running | started
            governor.start(lanes, started)
            fired |= started & (lanes.timer_ms <= next_ms)
        if fired.any():
            governor.timer(lanes, fired)
        changed = lanes.wanted != lanes.opp
        if changed.any():
            counts = changed & (lanes.frame >= settle)
            transitions += counts
            energy_uj += np.where(counts, platform.transition_uj, 0.0)
            stopped = changed & lanes.running
            left += np.where(stopped, platform.transition_ms * speed[lanes.wanted], 0.0)
            lanes.opp = lanes.wanted.copy()
            if timeline and changed[0]:
                steps.append((float(next_ms[0]), int(lanes.opp[0])))
    finish_ms = finish_ms[:, :length]
    return Replay(
        governor=governor.name,
        finish_ms=finish_ms,
        late=finish_ms > deadline_ms[:, :length] + 1e-6,
        energy_mj=energy_uj / 1e3,
        transitions=transitions,
        busy_ms=busy_ms,
        timeline=tuple(steps) if timeline else (),
    )
