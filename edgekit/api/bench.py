"""Bench a bundle, and its records as a notebook looks at them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.api.bundle import AnyBundle, load
from edgekit.api.table import lay_out
from runtime.engines.tflite_shapes import InputShapes
from runtime.errors import MissingExtra
from runtime.flow.frames import as_frames
from runtime.measure.bench import BenchRow, choose_variants, default_log, frame_lines, protocol, summarise
from runtime.measure.bench import bench as measure_blocks
from runtime.measure.bench.run import OnMessage, OnStep, Progress
from runtime.measure.records import Record, RecordLog
from runtime.targets import choose_settings, open_target, use_meter

if TYPE_CHECKING:
    import pandas as pd

    from runtime.targets import Target

_COLUMNS = {
    "variant": "variant", "setting": "setting", "median ms": "latency_ms", "+-95%": "plus_minus",
    "p90": "p90_ms", "mW": "power_mw", "mJ/frame": "energy_mj", "verdict": "verdict",
}  # fmt: skip
_MOST_ROWS = 30


class Records(list[Record]):
    """The records of a bench, block by block; a list that shows itself as a table.

    Attributes:
        path: of the log that keeps them.
        messages: how many of them were measured before, when and by what.
    """

    def __init__(
        self, records: Iterable[Record] = (), path: Path | None = None, messages: Sequence[str] = ()
    ):
        super().__init__(records)
        self.path, self.messages = path, tuple(messages)

    @property
    def rows(self) -> list[BenchRow]:
        """One row per variant, setting and pace: median, interval, energy and verdict of all its blocks."""
        return summarise(self)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What one must know of the rows: why they are unstable, or modelled; last what to do, each once."""
        lines = dict.fromkeys(line for row in self.rows for line in row.remarks)
        return tuple(sorted(lines, key=lambda line: line.startswith("what to do")))

    def table(self, most: int = _MOST_ROWS) -> str:
        """Return the rows as text, at most ``most`` of them: the fastest.

        Example:
            >>> records = bench("seg.edgekit", target="virtual:gs101", clusters=["big"])
            >>> print(records.table(most=1).splitlines()[2][:31])
            litert-fp32  big @ 2850 MHz x1
        """
        if not self:
            return "no records"
        rows = sorted(self.rows, key=lambda row: row.latency_ms)
        cells = [[getattr(row, name) for name in _COLUMNS.values()] for row in rows[:most]]
        left = [f"... and {len(rows) - most} slower ones"] if len(rows) > most else []
        lines = lay_out(list(_COLUMNS), cells, None).lines
        return "\n".join(
            [*lines, *left, *frame_lines(self.rows), f"how: {protocol(self)}", *self.messages, *self.remarks]
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return a data frame with a row per block; units are part of the columns' names.

        Raises:
            MissingExtra: pandas is not installed.

        Example:
            >>> frame = bench("seg.edgekit", target="virtual:gs101").to_pandas()    # doctest: +SKIP
            >>> frame.groupby("cluster").latency_ms.min()                           # doctest: +SKIP
        """
        try:
            import pandas as pd
        except ModuleNotFoundError as err:
            raise MissingExtra(
                "pandas is not installed, and edgekit needs it for nothing else; run: pip install pandas"
            ) from err
        from runtime.measure.formats.table import flat_row  # its neighbours need numpy, a bench does not

        return pd.DataFrame([flat_row(record) | {"samples_ms": record.samples_ms} for record in self])

    def __repr__(self) -> str:
        return self.table()


def bench(
    bundle: AnyBundle,
    target: str | Target = "local",
    *,
    threads: Sequence[int] = (1,),
    engines: Sequence[str] = (),
    variants: Sequence[str] = (),
    clusters: Sequence[str] = (),
    freqs_khz: Sequence[int] = (),
    every: int = 1,
    meter: str | None = None,
    input_shapes: InputShapes = (),
    log: str | os.PathLike[str] | None = None,
    again: bool = False,
    progress: Progress | None = None,
    on_step: OnStep = lambda text: None,
    on_message: OnMessage = lambda text: None,
    **plan: Any,
) -> Records:
    """Time a bundle over cores, clocks and threads.

    Stable blocks that this machine finished, as it is now, are kept: the same call after an interruption
    goes on where it was, and measures unstable blocks anew.

    Args:
        bundle: loaded, or the path of a bundle, a ``.tflite`` or a ``.pte`` file.
        target: where, as ``edgekit targets`` lists them: ``local``, ``virtual:gs101``, ``ssh:pi@board``.
        threads, engines, variants, clusters, freqs_khz: what to time; none given: one thread, and all else.
            Of a flow whole frames are timed; a variant that is one graph's file times that graph alone.
        every: of a cluster's clocks only each ``every``-th and the slowest.
        input_shapes: as ``load`` takes them.
        meter: of energy, as ``edgekit doctor`` lists them; default: the best there is.
        log: file that keeps the records; default: in the bundle.
        again: measure every block, whatever the log has; records of other machines are moved to a file
            beside it.
        progress: called after each block with how many are done, how many there are, and its record.
        on_step: called before each block that is measured, and when it waits for a hot machine.
        on_message: called with what is kept and what is not; the result's ``messages`` have it, too.
        plan: ``runs``, ``warmup``, ``blocks``, ``seed``, ``fps``, ``max_temp_c``, ``cool_down_s`` and
            ``retries``: see ``runtime.measure.bench.bench``.

    Raises:
        BundleError: there is no bundle.
        ValueError: an unknown target, variant, cluster, clock or meter.
        DeviceTransientError: another bench writes to the log.
        DeviceError, PermissionNeeded: the target cannot do it; finished blocks are kept.

    Example:
        >>> records = bench("seg.edgekit", target="virtual:gs101", threads=[1, 2])
        >>> min(records, key=lambda record: record.latency_ms).setting.cluster
        'big'
    """
    machine = use_meter(open_target(target) if isinstance(target, str) else target, meter)
    model = as_frames(load(bundle, input_shapes), variants)
    settings = choose_settings(machine, tuple(threads) or (1,), clusters, freqs_khz, every)
    names = choose_variants(model, engines, variants)
    kept = default_log(model, machine) if log is None else RecordLog(Path(log))
    messages: list[str] = []

    def say(text: str) -> None:
        messages.append(text)
        on_message(text)

    found = measure_blocks(
        model,
        machine,
        settings=settings,
        variants=names,
        log=kept,
        again=again,
        progress=progress,
        on_step=on_step,
        on_message=say,
        **plan,
    )
    return Records(found, kept.path, messages)
