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
@click.option("--variant", "variants", multiple=True, help="Only this variant; repeatable.")
@options.settings_options
@click.option(
    "--every", type=_COUNT, default=1, metavar="N", help="Only every Nth clock; fit learns the rest."
)
@options.frames_options
@click.option("--blocks", type=_COUNT, default=3, show_default=True, help="Times each setting is visited.")
@options.pace_options
@options.meter_option
@options.seed_option
@all_option
@options.out_option
@options.output_options
def bench(
    bundle: Path, target: str, engines: tuple[str, ...], variants: tuple[str, ...], threads: tuple[int, ...],
    clusters: tuple[str, ...], freqs_khz: tuple[int, ...], every: int, meter: str | None, out: Path | None,
    show_all: bool, as_json: bool, **plan: Any,
) -> None:  # fmt: skip
    """Time a bundle over cores, clocks and threads.

    BUNDLE is a .edgekit folder, or a .tflite or .pte file. Run it again to go on after an
    interruption: finished blocks are kept. Of more than 20 rows the best are shown, or --all.

    \b
    Example:
      edgekit bench model.edgekit --target virtual:gs101 --threads 1 --threads 2
      edgekit bench model.tflite --target ssh:pi@board --fps 30
    """
    from runtime.measure.bench import bench as measure
    from runtime.measure.bench import choose_variants, default_log, open_bundle_or_model, summarise
    from runtime.measure.records import RecordLog
    from runtime.targets import choose_settings, open_target, use_meter

    with BlockSteps() as steps:
        steps.wait_for(f"opening {target} and {bundle}")
        where, model = use_meter(open_target(target), meter), open_bundle_or_model(bundle)
        plan["settings"] = choose_settings(where, threads or (1,), clusters, freqs_khz, every)
        plan["variants"] = choose_variants(model, engines, variants)
        log = default_log(model, where) if out is None else RecordLog(out)
        records = measure(model, where, log=log, progress=steps.ended, on_step=steps.begins, **plan)
    rows = summarise(records)
    if as_json:
        print_json([record.to_dict() for record in records])
    else:
        show_rows(rows, records, show_all)
    note_remarks(rows, show_all)
    note(f"records: {log.path}")
