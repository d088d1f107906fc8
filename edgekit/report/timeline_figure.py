"""The picture of a governed run: what happened when, and what it came to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgekit.report.figure import LINE_KEY, Figure, Key, write_figure
from edgekit.report.timeline import HEIGHT, clusters_of, draw_timeline, since_first
from edgekit.report.units import joules, short

if TYPE_CHECKING:
    from runtime.measure.frame_log import FrameLine, Header

_WIDTH = 900.0
_NAMED = 4  # changes that the remarks tell of


def write_timeline(header: Header, frames: Sequence[FrameLine], out: str | os.PathLike[str]) -> Path:
    """Draw a governed run into ``out``, a ``.png`` or ``.svg`` file, and return its path.

    Raises:
        ValueError: ``out`` has another ending, or there is no frame.
        DataError: it cannot be written.
        MissingExtra: a PNG needs the extra ``report``.

    Example:
        >>> write_timeline(*read_log(Path("run.jsonl")), "run.png")   # doctest: +SKIP
    """
    frames = since_first(frames)
    figure = Figure(
        title=f"{header.policy} on {header.target} ({header.provenance})",
        lines=(summary(header, frames),),
        keys=_keys(frames),
        drawing=draw_timeline(header, frames, _WIDTH),
        width=_WIDTH,
        height=HEIGHT,
        remarks=(
            f"Frames per second and power are means over one second. {_source(header)}",
            *_events(frames),
        ),
    )
    return write_figure(figure, out)


def summary(header: Header, frames: Sequence[FrameLine]) -> str:
    """Return how many frames were late, what they took, and the mean power, in one line.

    Raises:
        ValueError: there is no frame.
    """
    if not frames:
        raise ValueError("the log holds no frame; govern for longer")
    latencies_ms = np.array([frame.latency_ms for frame in frames])
    late = sum(frame.late for frame in frames)
    late_pct = 100 * late / len(frames)
    words = (
        f"{len(frames)} frames at {short(header.fps_target)} FPS, {late} late ({late_pct:.1f} %); "
        f"{np.median(latencies_ms):.3g} ms median, {np.percentile(latencies_ms, 95):.3g} ms at 95 %"
    )
    energies_mj = [frame.energy_mj for frame in frames if frame.energy_mj is not None]
    if not energies_mj:
        return f"{words}; energy is not known."
    if len(energies_mj) < len(frames):
        words += f"; energy of {len(energies_mj)} frames is known"
    took_s = frames[-1].start_s - frames[0].start_s + frames[-1].latency_ms / 1e3
    span_s = max(len(frames) * header.period_ms / 1e3, took_s)
    return f"{words}; {joules(sum(energies_mj))}, {sum(energies_mj) / span_s:.3g} mW on average."


def _source(header: Header) -> str:
    return f"Power: {header.energy_source}." if header.energy_source else ""


def _keys(frames: Sequence[FrameLine]) -> tuple[Key, ...]:
    keys = [Key(name, f"g{number % 6}") for number, name in enumerate(clusters_of(frames))]
    if any(frame.late for frame in frames):
        keys.append(Key("late", "late"))
    if not all(frame.trusted for frame in frames):
        keys.append(Key("predictions not trusted", "untrusted", 1))
    return (*keys, Key("what was asked", "target", LINE_KEY))


def _events(frames: Sequence[FrameLine]) -> tuple[str, ...]:
    decisions = [f"{frame.start_s:.1f} s: {frame.reason}" for frame in frames if frame.reason]
    if not decisions:
        return ()
    more = f"; and {len(decisions) - _NAMED} more" if len(decisions) > _NAMED else ""
    return (f"Decisions at {'; '.join(decisions[:_NAMED])}{more}.",)
