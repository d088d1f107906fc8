"""``edgekit records``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from edgekit.cli import _options as options
from edgekit.cli._output import note, print_json, say
from edgekit.cli._rows import all_option, note_remarks, show_rows
from runtime.measure.formats import FORMATS, convert
from runtime.visible import visible


@click.command()
@click.argument(
    "files", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1, required=True
)
@click.option(
    "--format", "wanted", type=click.Choice(tuple(FORMATS)), help="Convert instead of showing a table."
)
@click.option("--stable", "only_stable", is_flag=True, help="Leave out unstable blocks.")
@all_option
@options.out_option
@options.table_options
def records(files, wanted, only_stable, show_all, out, as_json) -> None:
    """Show what `edgekit bench` wrote, or convert it for other tools.

    FILES are .jsonl files of records. pytest-benchmark is JSON for `pytest-benchmark compare`;
    trace opens in ui.perfetto.dev; benchmark-model is text like that of LiteRT's program.

    \b
    Example:
      edgekit records model.edgekit/records/local.jsonl
      edgekit records model.edgekit/records/*.jsonl --format csv -o all.csv
    """
    from runtime.bundle import write_atomic
    from runtime.measure.bench import summarise
    from runtime.measure.origin import by_place, newest_blocks
    from runtime.measure.records import RecordLog

    found = [record for path in files for record in RecordLog(path)]
    kept = [record for record in found if record.is_trusted or not only_stable]
    if wanted is not None:
        data = convert(kept, wanted)
        if out is None:
            click.echo(visible(data.decode()) if sys.stdout.isatty() else data, nl=False)
        else:
            write_atomic(out.resolve(), data)
            note(f"written: {out}")
    elif as_json:
        print_json([record.to_dict() for record in kept])
    else:
        for title, group in by_place(kept).items():
            say(f"{title}:")
            last = newest_blocks(group)
            rows = summarise(last)
            show_rows(rows, last, show_all)
            if len(last) < len(group):
                note(f"{len(group) - len(last)} blocks are left out: they were measured again since")
            note_remarks(rows, show_all)
