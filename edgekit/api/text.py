"""Tables as text, for what a notebook or ``print`` shows."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return ``rows`` below ``headers`` in columns; numbers stand to the right, ``None`` is a dash.

    Example:
        >>> print(aligned(("variant", "ms"), [("litert-fp32", 1.23456)]))
        variant         ms
        litert-fp32  1.235
    """
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    right = [all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(headers))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if is_number else text.ljust(width)
            for text, width, is_number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in [list(headers), *cells]
    )


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
