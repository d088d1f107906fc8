"""A table as lines of text that fit a terminal: columns are left out, then cells are wrapped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from runtime.visible import one_line

GAP = 2  # blanks between columns
_COMFORT = 24  # a column of text that narrow still reads well; less only when nothing can be left out
_LEAST = 8  # narrower columns chop words to pieces: the rows are listed instead


@dataclass(frozen=True)
class Layout:
    """A table's lines, and what they leave out.

    Attributes:
        lines: of text, without line ends.
        same: (header, cell) of columns that were left out because all rows have the same there.
        hidden: headers of columns that were left out although they differ.
    """

    lines: list[str]
    same: list[tuple[str, str]] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)


def lay_out(
    headers: Sequence[str],
    rows: Sequence[Sequence[object]],
    width: int | None,
    optional: Sequence[str] = (),
) -> Layout:
    """Return ``rows`` under ``headers``, no line longer than ``width``; numbers stand to the right.

    Args:
        headers: one per column.
        rows: cells; ``None`` becomes a dash, a tuple a line per item.
        width: columns of the terminal; ``None``: as wide as it takes, nothing left out or wrapped.
        optional: headers of columns that may be left out, the least important first. Those with the
            same cell in all rows go before the others.
    """
    columns = [_Column.of(header, [row[i] for row in rows]) for i, header in enumerate(headers)]
    if width is None or _total(column.natural for column in columns) <= width:
        return Layout(_draw(columns, [column.natural for column in columns]))
    shown = list(columns)
    left_out = sorted(
        (column for column in columns if column.header in optional),
        key=lambda column: (not column.is_constant, optional.index(column.header)),
    )
    same, hidden = [], []
    for column in left_out:
        if _total(column.comfort for column in shown) <= width or len(shown) == 1:
            break
        shown.remove(column)
        (same if column.is_constant else hidden).append(column)
    widths = _shrink(shown, width)
    lines = _draw(shown, widths) if widths else _list(shown, width)
    return Layout(
        lines,
        [(column.header, column.cells[0].replace("\n", ", ")) for column in columns if column in same],
        [column.header for column in columns if column in hidden],
    )


@dataclass(frozen=True, eq=False)
class _Column:
    """One column as text, with how wide it wants to be and how narrow it can be."""

    header: str
    cells: list[str]
    is_numeric: bool

    @classmethod
    def of(cls, header: str, values: Sequence[object]) -> _Column:
        is_numeric = bool(values) and all(_is_number_or_none(value) for value in values)
        return cls(one_line(header), [_cell(value) for value in values], is_numeric)

    @property
    def is_constant(self) -> bool:
        return len(set(self.cells)) == 1

    @property
    def natural(self) -> int:
        return max(len(line) for text in (self.header, *self.cells) for line in text.split("\n"))

    @property
    def floor(self) -> int:
        """The narrowest width that breaks no number and no short word."""
        words = [word for cell in self.cells for word in cell.split()]
        texts = self.cells if self.is_numeric else [word[:_COMFORT] for word in words]
        return max(map(len, (*self.header.split(), *texts)), default=1)

    @property
    def comfort(self) -> int:
        """The narrowest width that reads well: lists are not wrapped, texts are not torn."""
        if self.is_numeric:
            return self.floor
        is_list = any("\n" in cell for cell in self.cells)
        return self.natural if is_list else max(self.floor, min(self.natural, _COMFORT))


def _shrink(columns: Sequence[_Column], width: int) -> list[int] | None:
    """Return widths that fit, taken from the widest columns first; ``None`` if there are none."""
    widths = [column.natural for column in columns]
    for floors in ([c.comfort for c in columns], [c.floor for c in columns], [_LEAST] * len(columns)):
        while _total(widths) > width:
            can = [i for i, floor in enumerate(floors) if widths[i] > floor]
            if not can:
                break
            widths[max(can, key=lambda i: widths[i])] -= 1
    return widths if _total(widths) <= width else None


def _total(widths: Iterable[int]) -> int:
    return sum(width + GAP for width in widths) - GAP


def _draw(columns: Sequence[_Column], widths: Sequence[int]) -> list[str]:
    """Return the lines of a table; headers stand on its rule, cells begin at their first line."""
    heads = [wrap(column.header, width) for column, width in zip(columns, widths, strict=True)]
    height = max(map(len, heads))
    lines = _beside([[""] * (height - len(head)) + head for head in heads], columns, widths)
    lines.append((" " * GAP).join("-" * width for width in widths).rstrip())
    for cells in zip(*(column.cells for column in columns), strict=True):
        lines += _beside(
            [wrap(cell, width) for cell, width in zip(cells, widths, strict=True)], columns, widths
        )
    return lines


def _beside(blocks: Sequence[list[str]], columns: Sequence[_Column], widths: Sequence[int]) -> list[str]:
    lines = []
    for i in range(max(map(len, blocks))):
        texts = [block[i] if i < len(block) else "" for block in blocks]
        padded = [
            text.rjust(width) if column.is_numeric else text.ljust(width)
            for text, width, column in zip(texts, widths, columns, strict=True)
        ]
        lines.append((" " * GAP).join(padded).rstrip())
    return lines


def _list(columns: Sequence[_Column], width: int) -> list[str]:
    """Return every row as lines of ``header: cell``, for tables with more columns than fit at all."""
    lines: list[str] = []
    for cells in zip(*(column.cells for column in columns), strict=True):
        for column, cell in zip(columns, cells, strict=True):
            first, *more = wrap(f"{column.header}: {cell}", width - GAP)
            lines += [first, *(" " * GAP + line for line in more)]
        lines.append("")
    return lines


def wrap(text: str, width: int) -> list[str]:
    """Return ``text`` in lines of at most ``width``; a longer word is broken, after a mark if it has one."""
    if "\n" in text:
        return [line for part in text.split("\n") for line in wrap(part, width)]
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
            continue
        rest = word
        while len(rest) > width:
            cut = max((rest.rfind(mark, 0, width) for mark in "/._-,:="), default=-1) + 1 or width
            lines.append(rest[:cut])
            rest = rest[cut:]
        lines.append(rest)
    return [line for line in lines if line] or [""]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, tuple):
        return "\n".join(one_line(item) for item in value)
    return one_line(value)


def _is_number_or_none(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
