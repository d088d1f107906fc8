"""Per-op profile of ``benchmark_model``: the CSV that ``--op_profiling_output_mode=csv`` writes, in ms.

Columns: tensorflow/core/util/stats_calculator.cc, ``HeaderString``; older builds have ``start``
between the first two. Of the file's tables the one in run order under "Regular Benchmark Runs"
is read; initialisation is not part of a frame.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass

from runtime.errors import DataError

_SECTION = "Operator-wise Profiling Info for Regular Benchmark Runs"
_TABLE = "Run Order"
_NEEDED = ("node type", "first", "avg_ms", "times called", "name")


@dataclass(frozen=True)
class OpRow:
    """One op of a frame: the mean and the first of its durations in ms, and how often it ran."""

    kind: str
    name: str
    mean_ms: float
    first_ms: float
    times_called: int


def parse_op_csv(text: str) -> list[OpRow]:
    """Return the ops of one frame in the order they ran.

    Raises:
        DataError: not such a file, or a row that cannot be read.
    """
    lines = text.partition(_SECTION)[2].splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("=") and _TABLE in line]
    if not starts or starts[0] + 1 >= len(lines):
        raise DataError(
            f"this is no op profile of benchmark_model: no table {_TABLE!r} under {_SECTION!r}; run it with "
            "--enable_op_profiling=true --op_profiling_output_mode=csv"
        )
    header = [cell.strip() for cell in lines[starts[0] + 1].split(",")]
    if absent := [name for name in _NEEDED if name not in header]:
        raise DataError(f"the op profile has no column {absent[0]!r}; it has: {', '.join(header)}")
    rows = []
    for line in lines[starts[0] + 2 :]:
        if not line.strip():
            break
        rows.append(_row(line, header))
    return rows


def _row(line: str, header: list[str]) -> OpRow:
    # Names hold commas of their own ("[a, b]:71") and are not always quoted: the last column takes the rest.
    cells = [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True))]
    width = len(header)
    cells = [*cells[: width - 1], ", ".join(cells[width - 1 :])]
    found = dict(zip(header, cells, strict=False))
    try:
        mean_ms, first_ms = float(found["avg_ms"]), float(found["first"])
        times_called = int(found["times called"])
        if not (math.isfinite(mean_ms) and math.isfinite(first_ms) and min(mean_ms, first_ms) >= 0):
            raise ValueError("a duration is negative or not a number")
        return OpRow(found["node type"], found["name"], mean_ms, first_ms, times_called)
    except (KeyError, ValueError) as err:
        raise DataError(f"this row of the op profile cannot be read ({err}): {line}") from err
