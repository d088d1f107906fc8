"""The frames that benchmarks replay: the standard workload, made from seeds, and traces from CSV files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runtime.choose.simulation import Frames, periodic
from runtime.errors import DataError

SHARE_LOW, SHARE_HIGH = 0.10, 0.90  # of what the fastest point can do in a period
SCENE_S = (2.0, 10.0)
JITTER = 0.15  # standard deviation of a frame's work over its scene's
HEAVY_SHARE, HEAVY_FACTOR = 0.05, 2.0
_HEADER = ["arrival_ms", "work_megacycles"]
_MAX_BYTES = 256 * 2**20


def standard(top_khz: int, fps: float, seeds: Sequence[int], duration_s: float = 60.0) -> Frames:
    """Return the standard workload, one lane per seed.

    Per scene of 2-10 s a level, log-uniform between 10 % and 90 % of what the fastest point can do
    in a period; per frame 15 % jitter (standard deviation); 5 % of the frames have twice the work.

    Args:
        top_khz: clock of the platform's fastest point.
        fps: frames per second.
        seeds: one lane each.
        duration_s: length of a lane.
    """
    budget = top_khz / 1e6 * 1e3 / fps  # megacycles per period at the fastest point
    count = max(1, round(duration_s * fps))
    lanes = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        share = _scene_levels(rng, fps, count)
        share = share * np.maximum(rng.normal(1.0, JITTER, count), 0.1)
        share = share * np.where(rng.random(count) < HEAVY_SHARE, HEAVY_FACTOR, 1.0)
        lanes.append(share * budget)
    return periodic(np.stack(lanes), fps)


def standard_levels(fps: float, seeds: Sequence[int], duration_s: float = 60.0) -> np.ndarray:
    """Return the level of each frame's scene in the standard workload, as a share of a period."""
    count = max(1, round(duration_s * fps))
    return np.stack([_scene_levels(np.random.default_rng(seed), fps, count) for seed in seeds])


def _scene_levels(rng: np.random.Generator, fps: float, count: int) -> np.ndarray:
    levels: list[np.ndarray] = []
    while sum(map(len, levels)) < count:
        length = max(1, round(rng.uniform(*SCENE_S) * fps))
        levels.append(np.full(length, np.exp(rng.uniform(np.log(SHARE_LOW), np.log(SHARE_HIGH)))))
    return np.concatenate(levels)[:count]


def buffered(frames: Frames, waiting: int = 1) -> Frames:
    """Return the frames as a display with ``waiting`` frames in its buffer takes them.

    Each is shown, and therefore due, ``waiting`` periods later; as many are shown per second as before.
    """
    if waiting < 0:
        raise ValueError(f"waiting is {waiting}; give 0 frames or more")
    return Frames(frames.arrival_ms, frames.deadline_ms + waiting * frames.period_ms, frames.work)


def read_trace(path: Path, fps: float | None = None) -> Frames:
    """Return the frames of a CSV file ``arrival_ms,work_megacycles`` as one lane.

    A frame is due one period after its arrival; the period is ``1 / fps``, or the median distance of
    two arrivals.

    Raises:
        DataError: the file cannot be read, or a line is not two finite numbers in order.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DataError(f"{path} has {path.stat().st_size} bytes; a trace has at most {_MAX_BYTES}")
        with path.open(newline="", encoding="utf-8") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        raise DataError(f"cannot read the trace {path} ({err}); give a CSV file {','.join(_HEADER)}") from err
    if not lines or [word.strip() for word in lines[0]] != _HEADER:
        got = ",".join(lines[0]) if lines else "nothing"
        raise DataError(f"{path} begins with {got[:80]!r}; its first line must be {','.join(_HEADER)}")
    try:
        table = np.array([[float(word) for word in line] for line in lines[1:]], dtype=float)
        if table.ndim != 2 or table.shape[1] != 2:
            raise ValueError("give two numbers a line, and at least one line")
        if fps is None and len(table) < 2:
            raise ValueError("one frame has no rate; give at least two")
        period_ms = 1e3 / fps if fps else float(np.median(np.diff(table[:, 0])))
        if not period_ms > 0:
            raise ValueError(f"the median distance of two arrivals is {period_ms:g} ms; it must be above 0")
        arrival_ms = table[None, :, 0]
        return Frames(arrival_ms, arrival_ms + period_ms, table[None, :, 1])
    except ValueError as err:
        raise DataError(f"{path} is not a trace ({err})") from err
