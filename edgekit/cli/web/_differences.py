"""How gestures before and after a change are read and printed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.cli._output import note, print_table

if TYPE_CHECKING:
    from runtime.measure.compare import GestureDifference
    from runtime.measure.records import Record

_COLUMNS = (
    *("page", "target", "gesture", "setting", "FPS", "after", "frame time (95 %)", "work", "energy"),
    "verdict",
)


def read_some(path: Path, gestures: Sequence[str], clusters: Sequence[str]) -> list[Record]:
    """Return the records of a file, of these gestures and clusters alone where any are named."""
    from runtime.web.learning.kept import read_records

    return [
        record
        for record in read_records([path])
        if (not gestures or record.variant in gestures)
        and (not clusters or record.setting.cluster in clusters)
    ]


def print_differences(found: Sequence[GestureDifference]) -> None:
    """Print one line per difference, then why each is what it is."""
    rows = [
        (
            *(each.page, each.target, each.frame.variant, each.frame.setting),
            *(f"{each.before_fps:.1f}", f"{each.fps:.1f}", each.frame.change),
            None if each.work is None else each.work.change,
            *(each.frame.energy_change, each.frame.verdict),
        )
        for each in found
    ]
    print_table(_COLUMNS, rows, optional=("target", "energy", "work"))
    for line in dict.fromkeys(f"{each.frame.verdict}: {why}" for each in found for why in each.frame.reasons):
        note(line)
    if any(each.frame.interval is None for each in found):
        note("what to do: measure more runs of each gesture, on a quiet machine")
