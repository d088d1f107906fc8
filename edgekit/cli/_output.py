"""How commands print: tables and JSON on stdout, progress and warnings on stderr."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

import click
import msgspec

from edgekit.api.table import lay_out
from edgekit.cli._progress import make_room
from runtime.visible import escaped, visible

WIDE = "edgekit.wide"  # in a context's ``meta``: --wide was given
_PIPE_COLUMNS = 100  # where neither a terminal nor COLUMNS says how wide it is: a log, a pager
_FEWEST_COLUMNS = 20  # a terminal may say 1, in which nothing fits


def print_json(value: object) -> None:
    """Print ``value`` (dataclasses, dicts, lists, numbers) as indented JSON."""
    make_room()
    click.echo(escaped(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()))


def print_table(
    headers: Sequence[str], rows: Sequence[Sequence[object]], *, optional: Sequence[str] = ()
) -> None:
    """Print ``rows`` under ``headers`` within the terminal's width; numbers stand to the right.

    What all rows have the same is said in one line below where its column does not fit. Which
    other columns are hidden is said on stderr; --wide shows them.

    Args:
        headers: one per column.
        rows: cells; ``None`` becomes a dash.
        optional: headers of columns that may be left out, the least important first; the cells of
            the others are wrapped.
    """
    make_room()
    width = terminal_columns()
    context = click.get_current_context(silent=True)
    is_wide = context is not None and context.meta.get(WIDE, False)
    layout = lay_out(headers, rows, None if is_wide else width, optional)
    for line in layout.lines:
        say(line)
    known = [f"{header} {cell}" for header, cell in layout.same if cell != "-"]
    empty = [header for header, cell in layout.same if cell == "-"]
    for title, texts in (("in every row" if len(rows) > 1 else "also", known), ("in no row", empty)):
        if texts:
            text = f"{title}: {', '.join(texts)}"
            say("\n".join(textwrap.wrap(text, width, subsequent_indent="  ")))
    if layout.hidden:
        note(f"columns hidden: {', '.join(layout.hidden)}; --wide shows them")


def terminal_columns() -> int:
    """Return how many columns fit: as COLUMNS or the terminal of stdout says, else 100."""
    return max(shutil.get_terminal_size((_PIPE_COLUMNS, 24)).columns, _FEWEST_COLUMNS)


def say(text: object = "") -> None:
    """Print ``text``, of a line or more; what a terminal would obey instead of showing is shown."""
    make_room()
    click.echo(visible(str(text)))


def note(message: str) -> None:
    """Print a remark on stderr."""
    make_room()
    click.echo(visible(message), err=True)
