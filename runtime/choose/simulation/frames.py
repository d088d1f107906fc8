"""Frames to replay: when each arrives, by when it must be done, how much work it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Frames:
    """Independent sequences of frames, one per lane; all arrays have shape (n_lanes, n_frames).

    Attributes:
        arrival_ms: rising along each lane.
        deadline_ms: a frame finished later is late.
        work: in megacycles of the platform's fastest point.
    """

    arrival_ms: np.ndarray
    deadline_ms: np.ndarray
    work: np.ndarray

    def __post_init__(self) -> None:
        shape = self.work.shape
        if (
            len(shape) != 2
            or not self.work.size
            or {self.arrival_ms.shape, self.deadline_ms.shape} != {shape}
        ):
            raise ValueError(
                f"frames have shapes {self.arrival_ms.shape} and {shape}; give (n_lanes, n_frames)"
            )
        for name in ("arrival_ms", "deadline_ms", "work"):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name} holds a value that is not a number; each must be finite")
        if (self.work <= 0).any():
            raise ValueError(f"the least work is {self.work.min():g} megacycles; it must be above 0")
        if (np.diff(self.arrival_ms, axis=1) < 0).any():
            raise ValueError("a frame arrives before the one ahead of it; sort the frames by arrival_ms")

    @property
    def period_ms(self) -> float:
        """Median distance of two arrivals; a single frame's time to its deadline."""
        if self.work.shape[1] < 2:
            return float(np.median(self.deadline_ms - self.arrival_ms))
        return float(np.median(np.diff(self.arrival_ms, axis=1)))


def periodic(work: np.ndarray, fps: float, deadline_ms: float | None = None) -> Frames:
    """Return frames that arrive at ``fps``.

    Args:
        work: megacycles, shape (n_lanes, n_frames).
        fps: frames per second.
        deadline_ms: from a frame's arrival to when it must be done; by default a period.
    """
    if not fps > 0 or (deadline_ms is not None and not deadline_ms > 0):
        raise ValueError(f"fps is {fps}, deadline_ms {deadline_ms}; both must be above 0")
    work = np.atleast_2d(np.asarray(work, dtype=float))
    period_ms = 1e3 / fps
    arrival_ms = np.broadcast_to(np.arange(work.shape[1]) * period_ms, work.shape)
    return Frames(arrival_ms, arrival_ms + (period_ms if deadline_ms is None else deadline_ms), work)
