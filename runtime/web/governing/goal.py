"""How many frames a second a gesture is to have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# What users accept while they scroll, by what the page shows (Camel, Ren et al., INFOCOM 2020,
# arXiv 2005.00749: 32 FPS for image-heavy pages, 23 for text). In between, by the share that images cover;
# from which share on a page is image-heavy it does not say: half of the page is our choice.
ACCEPTED_IMAGES_FPS, ACCEPTED_TEXT_FPS = 32.0, 23.0
_IMAGE_HEAVY = 0.5
IMAGE_SHARE = """
(() => {
  let area = 0;
  for (const image of document.querySelectorAll('img, picture, video, canvas, svg')) {
    const box = image.getBoundingClientRect();
    const width = Math.min(box.right, innerWidth) - Math.max(box.left, 0);
    area += Math.max(width, 0) * box.height;
  }
  return area / (innerWidth * Math.max(document.documentElement.scrollHeight, innerHeight));
})()
"""


@dataclass(frozen=True)
class FrameGoal:
    """Frames a second.

    Attributes:
        fps: of gestures whose kind is not named.
        by_kind: of a kind of gesture.
        is_accepted: at most what users accept on such a page.

    Raises:
        ValueError: a figure that cannot be.

    Example:
        >>> goal = FrameGoal(60.0, {"pinch": 45.0}, is_accepted=True)
        >>> goal.of("scroll", image_share=0.0), goal.of("scroll", image_share=0.8), goal.of("pinch", 1.0)
        (23.0, 32.0, 32.0)
        >>> FrameGoal(60.0, {"pinch": 45.0}).of("pinch")
        45.0
    """

    fps: float = 60.0
    by_kind: Mapping[str, float] = field(default_factory=dict)
    is_accepted: bool = False

    def __post_init__(self) -> None:
        for fps in (self.fps, *self.by_kind.values()):
            if not 1 <= fps <= 240:
                raise ValueError(f"a gesture cannot have {fps:g} frames a second; give 1 to 240")

    def of(self, kind: str, image_share: float | None = None) -> float:
        """Return what gestures of ``kind`` are to have.

        Args:
            image_share: of the page's area that images cover; ``None``: not known, taken for all.
        """
        fps = self.by_kind.get(kind, self.fps)
        return (
            min(fps, accepted_fps(1.0 if image_share is None else image_share)) if self.is_accepted else fps
        )


def accepted_fps(image_share: float) -> float:
    """Return the frames a second that users accept on a page whose area images cover by that share.

    Example:
        >>> accepted_fps(0.0), accepted_fps(0.25), accepted_fps(1.0)
        (23.0, 27.5, 32.0)
    """
    share = min(max(image_share, 0.0) / _IMAGE_HEAVY, 1.0)
    return ACCEPTED_TEXT_FPS + share * (ACCEPTED_IMAGES_FPS - ACCEPTED_TEXT_FPS)
