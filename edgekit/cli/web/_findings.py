"""What is expensive on pages that were measured, below the tables of their gestures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.cli._output import say

if TYPE_CHECKING:
    from runtime.measure.records import Record


def show_findings(records: Sequence[Record], folder: Path) -> None:
    """Print what takes the work of a frame on each page, and what its features, kept in ``folder``, tell."""
    from edgekit.report.web.expensive import findings
    from runtime.web.interaction.rows import summarise
    from runtime.web.learning.pages import PAGES_FILE, KnownPage, read_pages

    path = folder / PAGES_FILE
    known = read_pages([path]) if path.is_file() else {}
    fastest = {row.page: row for row in reversed(summarise(records))}
    for page, row in reversed(fastest.items()):
        found = findings(known.get(page, KnownPage(page)), row.work_ms)
        if not found:
            continue
        say(f"{page}: what is expensive ({row.gesture} on {row.setting}, {row.target})")
        for each in found:
            share = "" if each.share is None else f"{each.share:.0%}"
            say(f"  {share:>4}  {each.what}{f' ({each.hint})' if each.hint else ''}")
        say()
