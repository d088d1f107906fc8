"""How many frames a second users accept on a page: those of a study, or one user who was asked.

Camel (Ren et al., INFOCOM 2020, arXiv 2005.00749) found that users accept 32 FPS of image-heavy pages and 23
of text. In between, by the share that images cover; from which share on a page is image-heavy it does not
say: half of the page is our choice. ``edgekit web calibrate`` asks one user, page by page; his answers take
the study's place for that kind of gesture, and between pages by the share of images, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import msgspec

from runtime.bundle import write_atomic
from runtime.bundle.decoding import decode_json, read_regular
from runtime.bundle.figures import check_figures
from runtime.errors import DataError
from runtime.web.browser.page import Page

IMAGES_FPS, TEXT_FPS = 32.0, 23.0
_IMAGE_HEAVY = 0.5
_ADVICE = "write it again: edgekit web calibrate"
_IMAGE_SHARE = """
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
class AcceptedRate:
    """What one user accepts of a kind of gesture on a page.

    Attributes:
        page: its name in records.
        kind: of the gesture.
        image_share: of the page's area that images cover.
        fps: from which on he called it smooth more often than not; ``low_fps`` and ``high_fps`` bound what
            his answers scatter by.
        shown_fps, answers: of each showing, in their order: what was displayed, and whether it was smooth.
        created_utc: when he was asked.
    """

    page: str
    kind: str
    image_share: float
    fps: float
    low_fps: float
    high_fps: float
    shown_fps: tuple[float, ...]
    answers: tuple[bool, ...]
    created_utc: str

    def __post_init__(self) -> None:
        check_figures(self)
        if not 1 <= self.fps <= 240:
            raise ValueError(f"nobody accepts {self.fps:g} frames a second; it must be 1 to 240")


@dataclass(frozen=True)
class AcceptedRates:
    """What is accepted, by page and kind of gesture.

    Example:
        >>> users = AcceptedRates()
        >>> users.of("scroll", 0.0), users.of("scroll", 0.25), users.of("scroll", 0.8)
        (23.0, 27.5, 32.0)
    """

    rates: tuple[AcceptedRate, ...] = ()

    def of(self, kind: str, image_share: float, page: str = "") -> float:
        """Return the frames a second that are accepted: of the page itself, of pages like it, or by users."""
        mine = sorted((r for r in self.rates if r.kind == kind), key=lambda rate: rate.image_share)
        for rate in mine:
            if rate.page == page:
                return rate.fps
        if mine:
            return _between([(rate.image_share, rate.fps) for rate in mine], image_share)
        return _between([(0.0, TEXT_FPS), (_IMAGE_HEAVY, IMAGES_FPS)], image_share)

    def with_rate(self, rate: AcceptedRate) -> AcceptedRates:
        """Return these with one more, in place of an earlier one of that page and gesture."""
        others = [each for each in self.rates if (each.page, each.kind) != (rate.page, rate.kind)]
        return replace(self, rates=(*others, rate))


def read_accepted(path: Path) -> AcceptedRates:
    """Return what ``edgekit web calibrate`` wrote.

    Raises:
        DataError: there is no such file, or it is damaged.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}; write one: edgekit web calibrate PAGE -o {path}")
    data = read_regular(path, advice=_ADVICE, error=DataError)
    found: AcceptedRates = decode_json(
        data, AcceptedRates, where=f"{path} does not say what is accepted", advice=_ADVICE
    )
    return found


def write_accepted(path: Path, accepted: AcceptedRates) -> None:
    """Keep what is accepted in a file.

    Raises:
        DataError: it cannot be written.
    """
    try:
        write_atomic(path, msgspec.json.format(msgspec.json.encode(accepted)) + b"\n")
    except OSError as err:
        raise DataError(f"{path} cannot be written ({err.strerror}); name another file with -o") from err


def read_image_share(page: Page) -> float | None:
    """Return the share of a page's area that images cover; ``None``: the page does not tell."""
    share = page.evaluate(_IMAGE_SHARE)
    return min(max(float(share), 0.0), 1.0) if isinstance(share, int | float) else None


def _between(points: Sequence[tuple[float, float]], at: float) -> float:
    """Return the value at a place on straight lines through points, ascending; level before and behind."""
    if at <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if at <= right:
            return low + (at - left) / (right - left) * (high - low) if right > left else high
    return points[-1][1]
