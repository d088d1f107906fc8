"""How the rows of a bench are printed, and what it says while it runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._output import note, print_table, say
from edgekit.cli._progress import Steps

if TYPE_CHECKING:
    from runtime.measure.bench import BenchRow
    from runtime.measure.records import Record

_COLUMNS = {
    "variant": "variant", "setting": "setting", "median ms": "latency_ms", "+-95%": "plus_minus",
    "IQR": "iqr_ms", "p90": "p90_ms", "cold": "first_frame_ms", "fps": "fps", "latency": "provenance",
    "mW": "power_mw", "mJ/frame": "energy_mj", "energy": "energy_kind", "memory MB": "memory_mb",
    "verdict": "verdict",
}  # fmt: skip
_OPTIONAL = ("IQR", "cold", "fps", "memory MB", "mW", "p90", "energy", "latency", "+-95%", "verdict")
_RUNS = re.compile(r"what to do: use --runs (\d+) or more$")
_MOST_REASONS = 3  # a busy machine makes all rows unstable, for much the same reasons
MOST_ROWS = 20  # a table that scrolls its own head away is no answer

all_option = click.option(
    "--all", "show_all", is_flag=True, help=f"Print all rows, also more than {MOST_ROWS}."
)


def show_rows(rows: Sequence[BenchRow], records: Sequence[Record], show_all: bool = False) -> None:
    """Print a line per row, or of many rows the best; and how the figures came about."""
    from runtime.measure.bench import frame_lines, protocol

    headers = list(_COLUMNS)
    cells = [[getattr(row, name) for name in _COLUMNS.values()] for row in rows]
    if show_all or len(rows) <= MOST_ROWS:
        print_table(headers, cells, optional=_OPTIONAL)
    else:
        best = best_rows(rows)
        shown = [[*line, best[i]] for i, line in enumerate(cells) if i in best]
        print_table([*headers, "best in"], shown, optional=_OPTIONAL)
        say(f"{len(shown)} of {len(rows)} rows: the best of each variant and cluster; --all shows all")
    for line in frame_lines(rows):
        note(line)
    note(f"how: {protocol(records)}")


def best_rows(rows: Sequence[BenchRow]) -> dict[int, str]:
    """Return the places of the best rows and what each is best in, by variant and cluster.

    Stable rows go before unstable ones. Where no energy is known, none is the best in it.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for i, row in enumerate(rows):
        groups.setdefault((row.variant, row.setting.cluster), []).append(i)
    best: dict[int, list[str]] = {}
    for group in groups.values():
        trusted = [i for i in group if rows[i].verdict != "unstable"] or group
        best.setdefault(min(trusted, key=lambda i: rows[i].latency_ms), []).append("speed")
        metered = [(energy_mj, i) for i in trusted if (energy_mj := rows[i].energy_mj) is not None]
        if metered:
            best.setdefault(min(metered)[1], []).append("energy")
    return {i: ", ".join(what) for i, what in best.items()}


def note_remarks(rows: Sequence[BenchRow], show_all: bool = False) -> None:
    """Say what one must know of the rows: first why they are unstable, last what to do, each once."""
    lines = list(dict.fromkeys(_short(line) for row in rows for line in row.remarks))
    unstable = [line for line in lines if line.startswith("unstable")]
    advice = [line for line in lines if line.startswith("what to do")]
    for line in lines:
        if line not in advice and (show_all or line not in unstable[_MOST_REASONS:]):
            note(line)
    if not show_all and len(unstable) > _MOST_REASONS:
        note(f"unstable: {len(unstable) - _MOST_REASONS} more rows; --all says why each is")
    runs = [int(found[1]) for line in advice if (found := _RUNS.match(line))]
    for line in advice:
        if not _RUNS.match(line):
            note(line)
    if runs:
        note(f"what to do: use --runs {max(runs)} or more")


def _short(remark: str) -> str:
    """Return a remark without the list of every meter that was looked for."""
    head, bracket, _ = remark.partition(" (")
    is_long = bool(bracket) and head.startswith("no energy: no power meter")
    return f"{head}; `edgekit doctor` there says what is missing" if is_long else remark


class BlockSteps(Steps):
    """Says which block runs, how long the others will take, and whether a finished one will be believed.

    Args:
        with_model: name the model too, where blocks of several take turns.
        given: see ``Steps``.
    """

    def __init__(self, with_model: bool = False, **given: Any):
        super().__init__(**given)
        self._with_model = with_model
        self._first_s: float | None = None
        self._is_running = False  # what the log has already ends without a beginning
        self._ran, self._left = 0, 0

    def begins(self, text: str) -> None:
        """Show the block, or the wait before it, that begins; give it as ``on_step``."""
        now_s = self.now()
        if self._first_s is None:
            self._first_s = now_s
        self._is_running = True
        left_s = (now_s - self._first_s) / self._ran * self._left if self._ran else 0.0
        self.wait_for(f"about {_duration(left_s)} left, {text}" if left_s >= 1 else text)

    def ended(self, done: int, total: int, latest: Record) -> None:
        """Keep the result of a block; give it as ``progress``."""
        self._ran, self._left = self._ran + self._is_running, total - done
        self._is_running = False
        if latest.is_modelled:
            return  # that takes no time, and there are many
        what = f"{latest.model} {latest.variant}" if self._with_model else latest.variant
        doubt = "" if latest.verdict != "unstable" else f" (unstable: {latest.reasons[0]})"
        self.done(f"{done}/{total} {what} {latest.setting}: {latest.latency_ms:.3g} ms{doubt}")


def _duration(duration_s: float) -> str:
    return f"{duration_s:.0f} s" if duration_s < 120 else f"{duration_s / 60:.0f} min"
