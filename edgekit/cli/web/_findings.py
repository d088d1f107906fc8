"""What is expensive on pages that were measured, below the tables of their gestures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.cli._output import print_table, say

if TYPE_CHECKING:
    from runtime.measure.records import Record
    from runtime.web.pages.features.page_features import Listener


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


def show_listeners(listeners: Sequence[Listener]) -> None:
    """Print the functions that gestures wake, the most expensive first."""
    if not listeners:
        return
    say()
    rows = [
        (
            each.type,
            ", ".join(each.owners)
            + (f" and {more} more" if (more := each.count - len(each.owners)) > 0 else ""),
            each.script,
            each.function,
            each.calls,
            f"{each.frame_ms:.2f}",
            "holds the scroll" if each.is_holding else "",
        )
        for each in listeners
    ]
    headers = ("woken by", "on", "script", "function", "calls", "ms a frame", "")
    print_table(headers, rows, optional=("function", "calls"))
