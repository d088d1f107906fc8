"""Frames counted twice: by the browser's trace, and by the display's own account of them."""

from __future__ import annotations

from runtime.web.browser.display import Watch
from runtime.web.frames.displayed import Shown, shown
from runtime.web.gestures.perform import Performed

MAX_APART_SHARE = 0.02
_EDGE_FRAMES = 1  # at the edge of a window either account may have one that the other has not


def count_again(watch: Watch, performed: Performed) -> int | None:
    """Return how many frames of a gesture the display says it showed; ``None``: it does not say."""
    if watch.source is None or watch.fault is not None:
        return None
    return len(shown(watch.times_s, performed, watch.refresh_hz).times_s)


def disagreement(traced: Shown, again: int, source: str) -> str | None:
    """Return in words by how much two counts are apart; ``None``: they agree.

    Example:
        >>> disagreement(Shown((0.1,) * 300, 5.0, ()), 296, "SurfaceFlinger")
        >>> disagreement(Shown((0.1,) * 300, 5.0, ()), 250, "SurfaceFlinger")
        'the trace has 300 frames, SurfaceFlinger 250: 17 % apart (limit 2 %)'
    """
    frames = len(traced.times_s)
    apart = abs(frames - again)
    most = max(frames, again)
    if apart <= max(_EDGE_FRAMES, MAX_APART_SHARE * most):
        return None
    return (
        f"the trace has {frames} frames, {source} {again}: {100 * apart / most:.0f} % apart "
        f"(limit {100 * MAX_APART_SHARE:.0f} %)"
    )
