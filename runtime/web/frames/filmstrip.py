"""Pictures of a gesture at equal times, as the display had them.

Taking them costs CPU time of its own, so runs that are filmed are apart from others.
"""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runtime.web.browser.connection import Event
from runtime.web.browser.display import HEADLESS_HZ, lag_s
from runtime.web.browser.page import Page
from runtime.web.gestures.perform import Performed

PICTURES = 8  # of a gesture: a row that fits a screen
# Half of a phone's CSS pixels at a low quality: 10 to 25 kB, in which text is still seen to move.
_MOST_WIDTH_PX, _MOST_HEIGHT_PX, _QUALITY = 206, 458, 50


@dataclass(frozen=True)
class Picture:
    """What the display had at one moment of a gesture.

    Attributes:
        at_ms: since the gesture began.
        age_ms: for how long the display had shown it by then; 0 where the gesture had shown nothing yet.
        jpeg: the picture.
    """

    at_ms: float
    age_ms: float
    jpeg: bytes


@contextlib.contextmanager
def filmed(page: Page, *, is_remote: bool = False) -> Iterator[list[tuple[float, bytes]]]:
    """Take a small picture of each frame that ``page`` displays within the block.

    Args:
        is_remote: the browser's machine has a clock of its own; pictures are dated when they come.

    Yields:
        When each was drawn, on the monotonic clock in s, and the picture; complete after the block.

    Raises:
        WebError: the browser refuses, or is gone.
    """
    frames: list[tuple[float, bytes]] = []
    since_boot_s = time.time() - time.monotonic()

    def keep(event: Event) -> None:
        # Chrome takes no further picture before this one is acknowledged.
        page.connection.send("Page.screencastFrameAck", page.session, sessionId=event["sessionId"])
        drawn_s = event.get("metadata", {}).get("timestamp")
        time_s = time.monotonic() if is_remote or drawn_s is None else float(drawn_s) - since_boot_s
        frames.append((time_s, base64.b64decode(event["data"])))

    end = page.listen("Page.screencastFrame", keep)
    try:
        page.call(
            "Page.startScreencast",
            format="jpeg",
            quality=_QUALITY,
            maxWidth=_MOST_WIDTH_PX,
            maxHeight=_MOST_HEIGHT_PX,
        )
        try:
            yield frames
        finally:
            page.call("Page.stopScreencast")
    finally:
        end()


def filmstrip(
    frames: Sequence[tuple[float, bytes]],
    performed: Performed,
    n_pictures: int = PICTURES,
    refresh_hz: float = HEADLESS_HZ,
) -> tuple[Picture, ...]:
    """Return what the display had at the middle of each of ``n_pictures`` equal parts of a gesture.

    Args:
        frames: when each was drawn, on the monotonic clock in s, and the frame; in any order.

    Returns:
        The pictures in order; none where nothing was drawn.
    """
    if not frames or not performed.spans:
        return ()
    in_order = sorted(frames, key=lambda frame: frame[0])
    late_s = lag_s(refresh_hz)
    start_s, end_s = performed.spans[0].start_s + late_s, performed.spans[-1].end_s + late_s
    part_s = (end_s - start_s) / n_pictures
    strip = []
    for number in range(n_pictures):
        at_s = start_s + (number + 0.5) * part_s
        drawn_s, jpeg = next((f for f in reversed(in_order) if f[0] <= at_s), in_order[0])
        age_s = at_s - max(drawn_s, start_s) if drawn_s <= at_s else 0.0
        strip.append(Picture(1000 * (at_s - start_s), 1000 * age_s, jpeg))
    return tuple(strip)
