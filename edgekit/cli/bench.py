"""``edgekit bench``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options as options
from edgekit.cli._output import note, print_json
from edgekit.cli._rows import note_remarks, show_progress, show_rows

_COUNT = click.IntRange(min=1)


@click.command()
@options.bundle_argument
@options.target_option
@options.runner_option
@click.option("--engine", "engines", multiple=True, help="Only variants of this engine; repeatable.")
@click.option("--variant", "variants", multiple=True, help="Only this variant; repeatable.")
@options.threads_option
@click.option("--cluster", "clusters", multiple=True, help="Only this cluster; repeatable.")
@click.option("--freq-khz", "freqs_khz", type=_COUNT, multiple=True, help="Only this clock; repeatable.")
@click.option("--every", type=_COUNT, default=1, help="Only every Nth clock; `fit` learns the rest.")
@click.option("--runs", type=_COUNT, default=30, show_default=True, help="Timed frames per block.")
@click.option("--warmup", type=click.IntRange(min=0), default=5, show_default=True, help="Untimed ones.")
@click.option("--blocks", type=_COUNT, default=3, show_default=True, help="Times each setting is visited.")
@options.pace_options
@options.meter_option
@options.seed_option
@options.out_option
@options.json_option
def bench(
    bundle: Path, target: str, out: Path | None, as_json: bool, **settings: Any
) -> None:  # fmt: skip
    """Time a bundle over cores, clocks and threads.

    BUNDLE is a .edgekit folder, or a .tflite or .pte file of any origin. Run it again to go on
    after an interruption: finished blocks are kept.
    """
    from edgekit.api.bench import bench as measure

    records = measure(bundle, target, log=out, progress=show_progress, **settings)
    rows = records.rows
    if as_json:
        print_json([record.to_dict() for record in records])
    else:
        show_rows(rows, records)
    note_remarks(rows)
    note(f"records: {records.path}")
