"""``edgekit bench``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options as options
from edgekit.cli._output import note, print_json
from edgekit.cli._rows import BlockSteps, all_option, note_remarks, show_rows

_COUNT = click.IntRange(min=1)


@click.command()
@options.bundle_argument
@options.target_option
@options.runner_option
@click.option("--engine", "engines", multiple=True, help="Only variants of this engine; repeatable.")
@options.variants_option
@options.settings_options
@options.open_shape_option
@click.option(
    "--every", type=_COUNT, default=1, metavar="N", help="Only every Nth clock; fit learns the rest."
)
@options.frames_options
@click.option("--blocks", type=_COUNT, default=3, show_default=True, help="Times each setting is visited.")
@options.pace_options
@options.meter_option
@options.seed_option
@click.option("--again", is_flag=True, help="Measure every block, also what is recorded already.")
@all_option
@options.out_option
@options.output_options
def bench(
    bundle: Path, target: str, out: Path | None, show_all: bool, as_json: bool, **settings: Any
) -> None:  # fmt: skip
    """Time a bundle over cores, clocks and threads.

    BUNDLE is a .edgekit folder, or a .tflite or .pte file. Run it again to go on after an
    interruption: stable blocks are kept if this machine made them with the kernel, engine and meter
    it has now. Of more than 20 rows the best are shown, or --all.

    \b
    Example:
      edgekit bench model.edgekit --target virtual:gs101 --threads 1 --threads 2
      edgekit bench model.tflite --target ssh:pi@board --fps 30
    """
    from edgekit.api.bench import bench as measure

    with BlockSteps() as steps:
        steps.wait_for(f"opening {target} and {bundle}")
        records = measure(
            bundle, target, log=out, progress=steps.ended, on_step=steps.begins, on_message=note, **settings
        )
    rows = records.rows
    if as_json:
        print_json([record.to_dict() for record in records])
    else:
        show_rows(rows, records, show_all)
    note_remarks(rows, show_all)
    note(f"records: {records.path}")
