"""What became of the same frames under one way to choose the clock. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.bundle.figures import check_figures

_TITLES = {
    "eas": "EAS + schedutil",
    "ebs": "EBS",
    "best": "exhaustive best",
    "governed": "edgekit govern, settled",
}


@dataclass(frozen=True)
class Outcome:
    """What became of the frames under one governor.

    Attributes:
        governor: ``policy`` (the chosen setting, held), ``governed`` (the policy's table, corrected by what
            frames took), ``best``, or a kernel's or paper's governor as ``runtime.choose.simulation`` names
            it.
        cluster: where frames ran; several are joined by ``+``.
        freq_low_khz, freq_high_khz: the clocks that were used while frames ran.
        latency_ms: median of the time from start to end of a frame.
        fps: frames finished per second.
        late_frames: done after their deadline.
        energy_mj: per frame, ``None`` where the power of a clock used is unknown.
        saved_pct: what the chosen setting saves against this one, filled in by whoever compares.
        misses_deadline: whether any frame was late. Its energy is then no match for the policy's: it bought
            less. Frames of a replay are all alike, so a late one is the governor's doing, not noise.
    """

    governor: str
    cluster: str
    threads: int
    freq_low_khz: int
    freq_high_khz: int
    latency_ms: float
    fps: float
    frames: int
    late_frames: int
    energy_mj: float | None
    saved_pct: float | None = None
    misses_deadline: bool = False

    def __post_init__(self) -> None:
        check_figures(self)
        if not self.latency_ms > 0:
            raise ValueError(f"latency_ms of {self.governor} is {self.latency_ms}; it must be above 0")

    @property
    def title(self) -> str:
        """The governor as people call it."""
        return _TITLES.get(self.governor, self.governor)
