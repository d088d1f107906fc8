"""What a browser showed while a gesture lasted, as part of a record."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.bundle.figures import check_figures

_MOST_WORK_MS = 1e6  # a quarter of an hour for a frame


@dataclass(frozen=True)
class GestureFigures:
    """Frames of one gesture on one page, and the work they took.

    Attributes:
        kind: ``scroll``, ``fling`` or ``pinch``.
        speed: of the finger, in CSS pixels of the screen per second; of a pinch, of two fingers against each
            other.
        source: ``wheel`` or ``touch``.
        factor: that a pinch zooms by.
        window_s: for how long frames were due.
        refresh_hz: of the display.
        displayed_frames: that reached the display meanwhile.
        longest_gap_ms: between two of them.
        work_ms: CPU time of a displayed frame by role of the thread (main, compositor, raster, viz, io,
            other), in ms of the SoC's fastest core.
        probe_ms: a fixed piece of work just before, at full speed, where the machine is emulated: ``work_ms``
            grows with it.
        main_fps: frames of the page's main thread a second; ``None``: not measured, as the four below.
        dropped_frames: that the display lacked and whose lack is seen.
        delayed_pct: share of the frames of a scroll that Chrome counts as delayed.
        turned: the page was too short, and was scrolled back and forth.
        scroller: what was scrolled where that is not the document; an element's name.
        capacity: of the setting's core at its clock, of 1024 of the SoC's fastest.
        late_ms: by how much an input event was sent late, at most.
        counted_again: frames by the display's own account of them; ``None``: it has none.
    """

    kind: str
    speed: float
    source: str
    factor: float
    window_s: float
    refresh_hz: float
    displayed_frames: int
    longest_gap_ms: float
    work_ms: dict[str, float]
    probe_ms: float | None = None
    main_fps: float | None = None
    dropped_frames: int | None = None
    delayed_pct: float | None = None
    turned: bool = False
    scroller: str | None = None
    capacity: float | None = None
    late_ms: float | None = None
    counted_again: int | None = None

    def __post_init__(self) -> None:
        check_figures(self)
        if not self.window_s > 0 or self.displayed_frames < 0:
            raise ValueError(
                f"{self.displayed_frames} frames in {self.window_s} s; a gesture takes a time above 0"
            )
        if not all(0 <= work_ms < _MOST_WORK_MS for work_ms in self.work_ms.values()):
            raise ValueError(f"work_ms is {self.work_ms}; a frame takes between 0 and {_MOST_WORK_MS:g} ms")

    @property
    def is_detailed(self) -> bool:
        """Whether the browser reported on each frame, too, which costs work that others do not have."""
        return self.main_fps is not None

    @property
    def fps(self) -> float:
        """Frames displayed per second over the window."""
        return self.displayed_frames / self.window_s

    @property
    def frame_work_ms(self) -> float:
        """CPU time of a displayed frame over all threads, in ms of the SoC's fastest core."""
        return sum(self.work_ms.values())
