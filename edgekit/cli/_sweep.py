"""How a sweep is printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.cli._output import print_table

if TYPE_CHECKING:
    from edgekit.sweep import SweepRow

_OPTIONAL = ("params", "s", "of", "done")


def print_rows(rows: Sequence[SweepRow], metric: str) -> None:
    """Print a line per row: the metric with its deviation, and the difference to the control."""
    headers = [*rows[0].row, metric, "sd", "to control", "+-", "verdict", "MACs", "params", "s", "done", "of"]
    cells = [
        [
            *row.row.values(),
            *map(_number, (row.mean, row.sd, row.difference, row.half_width)),
            row.verdict,
            *(None if value is None else round(value) for value in (row.macs, row.params, row.duration_s)),
            row.n_done,
            row.n_jobs,
        ]
        for row in rows
    ]
    print_table(headers, cells, optional=_OPTIONAL)


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"
