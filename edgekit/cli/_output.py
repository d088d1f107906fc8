"""How commands print: tables and JSON on stdout, progress and warnings on stderr."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec


def print_json(value: object) -> None:
    """Print ``value`` (dataclasses, dicts, lists, numbers) as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print ``rows`` under ``headers`` in aligned columns; numbers stand to the right, ``None`` is a dash."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(headers), *cells]) for i in range(len(headers))]
    numeric = [bool(rows) and all(_is_number_or_none(row[i]) for row in rows) for i in range(len(headers))]
    for line in [list(headers), ["-" * width for width in widths], *cells]:
        padded = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ]
        click.echo("  ".join(padded).rstrip())


def note(message: str) -> None:
    """Print progress or a remark on stderr."""
    click.echo(message, err=True)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def _is_number_or_none(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
