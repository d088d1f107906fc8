"""Gestures done under a governor and watched, as they are kept beside records: a file each.

The same gesture left to the kernel and governed shows what governing saves on a page, and whether it costs
frames.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime.bundle import write_atomic
from runtime.bundle.decoding import decode_json, read_regular
from runtime.bundle.figures import check_figures
from runtime.bundle.names import slug
from runtime.errors import DataError
from runtime.web.interaction.rows import HELD_SHARE

OURS = "edgekit"
_FOLDER = "governed"
_MOST_BYTES = 4 << 20
_ADVICE = "try it again: edgekit web govern --try"


@dataclass(frozen=True)
class Trial:
    """A gesture that was done under a governor.

    Attributes:
        page, sha256: name and digest of the page.
        gesture, kind, speed, source: what was done.
        target: that it was done on.
        governor: ``edgekit``, the kernel's by its name, or ``held`` at one setting.
        fps_target: that it was to have.
        predicted_fps: that edgekit expected at the last setting it chose; else ``None``.
        window_s: in which frames were counted.
        gaps_ms: between displayed frames, from when the first was due to when the last could be.
        spans_s: movements of the finger, each from and to, since frames were due.
        clocks: cluster and clock in kHz, from when on they were seen.
        powers_mw: mean powers, each from a time on; empty where nothing tells.
        energy_mj: of the window, as the meter counts it; ``None``: nothing tells.
        energy_source: where that comes from.
    """

    page: str
    sha256: str
    gesture: str
    kind: str
    speed: float
    source: str
    target: str
    provenance: str
    governor: str
    fps_target: float
    predicted_fps: float | None
    refresh_hz: float
    window_s: float
    gaps_ms: tuple[float, ...]
    spans_s: tuple[tuple[float, float], ...]
    clocks: tuple[tuple[float, str, int], ...]
    powers_mw: tuple[tuple[float, float], ...]
    energy_mj: float | None
    energy_source: str
    created_utc: str = ""

    def __post_init__(self) -> None:
        check_figures(self)
        if not self.window_s > 0 or not self.gaps_ms or not all(gap >= 0 for gap in self.gaps_ms):
            raise ValueError(f"{len(self.gaps_ms)} gaps in {self.window_s:g} s are no gesture")

    @property
    def fps(self) -> float:
        """Displayed frames a second."""
        return (len(self.gaps_ms) - 1) / self.window_s

    @property
    def mean_mw(self) -> float | None:
        """Mean power of the window; ``None``: nothing tells."""
        return None if self.energy_mj is None else self.energy_mj / self.window_s

    @property
    def misses(self) -> bool:
        """Whether it showed clearly fewer frames than it was to."""
        return self.fps < HELD_SHARE * self.fps_target


def keep_trial(folder: Path, trial: Trial) -> Path:
    """Write ``trial`` below ``folder``, in place of an earlier one alike, and return its file."""
    who = OURS if trial.governor == OURS else "kernel"
    key = f"{trial.page}\n{trial.gesture}\n{trial.fps_target}\n{who}"
    path = folder / _FOLDER / slug(trial.target) / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, msgspec.json.encode(trial))
    return path


def read_trials(folder: Path) -> Iterator[Trial]:
    """Yield the trials below ``folder``.

    Raises:
        DataError: a file is none.
    """
    for path in sorted((folder / _FOLDER).glob("*/*.json")):
        data = read_regular(path, advice=_ADVICE, error=DataError, most_bytes=_MOST_BYTES)
        yield decode_json(data, Trial, where=f"{path} is no governed gesture", advice=_ADVICE)
