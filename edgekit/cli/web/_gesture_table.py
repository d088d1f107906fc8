"""What gestures showed, as tables, and the cheapest setting for each frame rate."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from edgekit.cli._output import note, print_table, say

if TYPE_CHECKING:
    from runtime.measure.records import Record
    from runtime.web.interaction.rows import GestureRow

_HEADERS = (
    "setting", "FPS", "+-95%", "gap ms", "main FPS", "dropped", "delayed %", "work ms", "main ms",
    "compositor ms", "raster ms", "viz ms", "mW", "mJ a gesture", "runs", "verdict",
)  # fmt: skip
_OPTIONAL = (
    "raster ms", "gap ms", "runs", "viz ms", "compositor ms", "+-95%", "delayed %", "main FPS", "verdict",
)  # fmt: skip
_MOST_REASONS = 3


def show_gestures(records: Sequence[Record], rates: Sequence[float]) -> None:
    """Print a table for each page, gesture and target, and below it the cheapest setting for each rate.

    Args:
        rates: none: the display's, and half of it.
    """
    from runtime.web.interaction.rows import summarise

    rows = summarise(records)
    for (page, gesture, target), group in groupby(rows, lambda row: (row.page, row.gesture, row.target)):
        of_one = list(group)
        say(f"{page}: {gesture} on {target}")
        print_table(_HEADERS, [_cells(row) for row in of_one], optional=_OPTIONAL)
        shown_hz = float(round(max(row.refresh_hz for row in of_one)))
        for fps in rates or (shown_hz, shown_hz / 2):
            say(_cheapest_text(of_one, fps))
        say()
    unstable = [row for row in rows if row.verdict == "unstable"]
    for row in unstable[:_MOST_REASONS]:
        note(f"unstable: {row.page} {row.gesture} on {row.setting}: {'; '.join(row.reasons)}")
    if len(unstable) > _MOST_REASONS:
        note(f"unstable: {len(unstable) - _MOST_REASONS} more rows")


def _cells(row: GestureRow) -> list[object]:
    work_ms = [f"{row.work_ms.get(role, 0.0):.2f}" for role in ("main", "compositor", "raster", "viz")]
    plus_minus = "-" if row.runs < 2 else f"{row.interval.half_share:.0%}"
    return [
        str(row.setting), f"{row.fps:.1f}", plus_minus, f"{row.longest_gap_ms:.0f}",
        *_whole(row.main_fps, row.dropped_frames, row.delayed_pct), f"{row.frame_work_ms:.2f}", *work_ms,
        *_whole(row.power_mw, row.energy_mj), row.runs, row.verdict,
    ]  # fmt: skip


def _whole(*values: float | None) -> list[str | None]:
    return [None if value is None else f"{value:.0f}" for value in values]


def _cheapest_text(rows: Sequence[GestureRow], fps: float) -> str:
    from runtime.web.browser.display import can_show
    from runtime.web.interaction.rows import HELD_SHARE, cheapest

    best, refresh_hz = cheapest(rows, fps), max(row.refresh_hz for row in rows)
    if not can_show(fps, refresh_hz):
        return f"{fps:g} FPS: its display refreshed at {refresh_hz:.0f} Hz, and showed no more"
    if best is None:
        fastest = max(rows, key=lambda row: row.fps)
        if fastest.holds(fps):
            return f"{fps:g} FPS are held, but no power is known here: the cheapest setting cannot be told"
        most = f"{fastest.setting} shows most, {fastest.fps:.1f}"
        return f"{fps:g} FPS: no setting shows {HELD_SHARE:.0%} of them; {most}"
    most_mw = max(row.power_mw or 0.0 for row in rows)
    saved = 1 - (best.power_mw or 0.0) / most_mw
    return (
        f"{fps:g} FPS: cheapest is {best.setting} ({best.fps:.1f} FPS, {best.power_mw:.0f} mW, "
        f"{saved:.0%} below the most expensive setting)"
    )
