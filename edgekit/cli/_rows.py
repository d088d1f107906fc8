"""How the rows of a bench are printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.cli._output import note, print_table

if TYPE_CHECKING:
    from runtime.measure.bench import BenchRow
    from runtime.measure.records import Record

_COLUMNS = {
    "variant": "variant", "setting": "setting", "median ms": "latency_ms", "+-95%": "plus_minus",
    "IQR": "iqr_ms", "p90": "p90_ms", "cold": "first_ms", "fps": "fps", "latency": "provenance",
    "mW": "power_mw", "mJ/frame": "energy_mj", "energy": "energy_kind", "verdict": "verdict",
}  # fmt: skip


def show_rows(rows: Sequence[BenchRow], records: Sequence[Record]) -> None:
    """Print a line per row, and how the figures came about."""
    print_table(list(_COLUMNS), [[getattr(row, name) for name in _COLUMNS.values()] for row in rows])
    from runtime.measure.bench import protocol

    note(f"how: {protocol(records)}")


def note_remarks(rows: Sequence[BenchRow]) -> None:
    """Say what one must know of the rows: first why they are unstable, last what to do, each once."""
    lines = dict.fromkeys(line for row in rows for line in row.remarks)
    for line in sorted(lines, key=lambda line: line.startswith("what to do")):
        note(line)


def show_progress(done: int, total: int, latest: Record, *, with_model: bool = False) -> None:
    """Say which block is done, and whether it will be believed."""
    if latest.is_modelled:
        return  # those take no time
    what = f"{latest.model} {latest.variant}" if with_model else latest.variant
    doubt = "" if latest.verdict == "stable" else f" (unstable: {latest.reasons[0]})"
    note(f"{done}/{total} {what} {latest.setting}: {latest.latency_ms:.3g} ms{doubt}")
