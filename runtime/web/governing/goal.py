"""How many frames a second a gesture is to have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runtime.web.governing.accepted import AcceptedRates


@dataclass(frozen=True)
class FrameGoal:
    """Frames a second.

    Attributes:
        fps: of gestures whose kind is not named.
        by_kind: of a kind of gesture.
        accepted: at most what is accepted on such a page; ``None``: whatever is.

    Raises:
        ValueError: a figure that cannot be.

    Example:
        >>> goal = FrameGoal(60.0, {"pinch": 45.0}, AcceptedRates())
        >>> goal.of("scroll", image_share=0.0), goal.of("scroll", image_share=0.8), goal.of("pinch", 1.0)
        (23.0, 32.0, 32.0)
        >>> FrameGoal(60.0, {"pinch": 45.0}).of("pinch")
        45.0
    """

    fps: float = 60.0
    by_kind: Mapping[str, float] = field(default_factory=dict)
    accepted: AcceptedRates | None = None

    def __post_init__(self) -> None:
        for fps in (self.fps, *self.by_kind.values()):
            if not 1 <= fps <= 480:
                raise ValueError(f"a gesture cannot have {fps:g} frames a second; give 1 to 480")

    def of(self, kind: str, image_share: float | None = None, page: str = "") -> float:
        """Return what gestures of ``kind`` are to have.

        Args:
            image_share: of the page's area that images cover; ``None``: not known, taken for all.
            page: its name in records.
        """
        fps = self.by_kind.get(kind, self.fps)
        if self.accepted is None:
            return fps
        return min(fps, self.accepted.of(kind, 1.0 if image_share is None else image_share, page))
