"""Frames counted twice: by the browser's trace, and by the display's own account of them."""

from __future__ import annotations

from runtime.web.browser.display import Watch
from runtime.web.frames.displayed import Shown

MAX_APART_SHARE = 0.02


def count_again(watch: Watch, traced: Shown) -> int | None:
    """Return how many frames the display says it showed while they were due; ``None``: it does not say.

    A movement that runs on ends with the last frame of the trace, so both count over the same time.
    """
    if watch.source is None or watch.fault is not None:
        return None
    return sum(
        any(start_s <= time_s <= end_s for start_s, end_s in traced.windows) for time_s in watch.times_s
    )


def disagreement(traced: Shown, again: int, source: str) -> str | None:
    """Return in words by how much two counts are apart; ``None``: they agree.

    At the edges of each movement either account may have a frame that the other has not.

    Example:
        >>> disagreement(Shown((0.1,) * 300, 5.0, ()), 296, "SurfaceFlinger")
        >>> disagreement(Shown((0.1,) * 300, 5.0, ()), 250, "SurfaceFlinger")
        'the trace has 300 frames, SurfaceFlinger 250: 17 % apart (limit 2 %)'
    """
    frames = len(traced.times_s)
    apart, most = abs(frames - again), max(frames, again)
    if apart <= max(len(traced.windows), MAX_APART_SHARE * most):
        return None
    return (
        f"the trace has {frames} frames, {source} {again}: {100 * apart / most:.0f} % apart "
        f"(limit {100 * MAX_APART_SHARE:.0f} %)"
    )
