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
@click.option("--every", type=_COUNT, default=1, help="Only every so-manyth clock; `fit` learns the rest.")
@click.option("--runs", type=_COUNT, default=30, show_default=True, help="Timed frames per block.")
@click.option("--warmup", type=click.IntRange(min=0), default=5, show_default=True, help="Untimed ones.")
@click.option("--blocks", type=_COUNT, default=3, show_default=True, help="Times each setting is visited.")
@options.pace_options
@options.meter_option
@options.seed_option
@options.out_option
@options.json_option
def bench(
    bundle: Path, target: str, engines: tuple[str, ...], variants: tuple[str, ...], threads: tuple[int, ...],
    clusters: tuple[str, ...], freqs_khz: tuple[int, ...], every: int, meter: str | None, out: Path | None,
    as_json: bool, **plan: Any,
) -> None:  # fmt: skip
    """Time a bundle over cores, clocks and threads.

    BUNDLE is a .edgekit folder, or a .tflite or .pte file of any origin. Run it again to go on
    after an interruption: finished blocks are kept.
    """
    from runtime.measure.bench import bench as measure
    from runtime.measure.bench import choose_variants, default_log, open_bundle_or_model, summarise
    from runtime.measure.records import RecordLog
    from runtime.targets import choose_settings, open_target, use_meter

    where, model = use_meter(open_target(target), meter), open_bundle_or_model(bundle)
    settings = choose_settings(where, threads or (1,), clusters, freqs_khz, every)
    log = default_log(model, where) if out is None else RecordLog(out)
    names = choose_variants(model, engines, variants)
    records = measure(
        model, where, settings=settings, variants=names, log=log, progress=show_progress, **plan
    )
    rows = summarise(records)
    if as_json:
        print_json([record.to_dict() for record in records])
    else:
        show_rows(rows, records)
    note_remarks(rows)
    note(f"records: {log.path}")
