"""How long an agent may take for a request, and how much it may answer: a board that hangs is left."""

from __future__ import annotations

from typing import NamedTuple

from runtime.targets.agent import messages as m

BEAT_BYTES = 1 << 10  # where nothing was asked, only a sign of life may come
_SMALL_BYTES = 4 << 20  # a profile with its clocks, a session's versions: some kB
_TENSORS_BYTES = 1 << 30
_QUICK_S = 120.0
_LOAD_S = 1800.0  # a large model on a slow card, prepared for its delegate
_FRAME_S = 60.0  # far more than any frame that is worth measuring
_SAMPLE_BYTES = 64  # a number, and what msgpack needs around it


class Ceiling(NamedTuple):
    """The most that an answer may take, in seconds from the request and in bytes."""

    seconds: float
    size_bytes: int


def ceiling_of(request: m.Request) -> Ceiling:
    """Return what the answer to ``request`` may take at most."""
    match request:
        case m.OpenSession():
            return Ceiling(_LOAD_S, _SMALL_BYTES)
        case m.RunFrame():
            return Ceiling(_LOAD_S, _TENSORS_BYTES)
        case m.RunPaced(_, _, frames, fps):
            return Ceiling(_frames_s(frames, fps), _TENSORS_BYTES)
        case m.TakeSamples(_, warmup, runs, fps):
            return Ceiling(_frames_s(warmup + runs, fps), _SMALL_BYTES + _SAMPLE_BYTES * runs)
        case m.TakeProfile(_, warmup, runs):
            return Ceiling(_frames_s(warmup + runs, None), _TENSORS_BYTES)
    return Ceiling(_QUICK_S, _SMALL_BYTES)


def _frames_s(frames: int, fps: float | None) -> float:
    return _LOAD_S + frames * max(_FRAME_S, 0.0 if fps is None else 1 / fps)
