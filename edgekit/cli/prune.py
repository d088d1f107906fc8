"""``edgekit prune``: a checkpoint in, a smaller one out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from edgekit.cli._load import heed_others
from edgekit.cli._options import out_option, table_options
from edgekit.cli._output import note
from edgekit.cli._placement import engine_option
from edgekit.cli._pruning import print_pruning, pruning_options, take_pruning
from edgekit.cli._scan import is_scan, ratios_option, scan_and_print, scan_option


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path))
@pruning_options("--method", default="psfp")
@engine_option
@click.option("--epochs", type=int, help="Epochs with the method; default: half of the checkpoint's.")
@click.option("--teacher", help="Checkpoint the smaller net learns from; dense: CHECKPOINT itself.")
@scan_option
@ratios_option
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the dataset's files are.")
@out_option
@click.option("--resume", is_flag=True, help="Continue the run in --out that was interrupted.")
@table_options
@click.pass_context
def prune(
    ctx, checkpoint, engine, epochs, teacher, scan, ratios, data_root, out, resume, as_json, **options
) -> None:  # fmt: skip
    """Remove channels of CHECKPOINT and train back the accuracy; shows the cost before and after.

    With --scan only the accuracy right after the removal is shown, group by group; run it again to go on
    after an interruption.

    \b
    Example:
      edgekit prune runs/digits --method psfp --rate 0.3 -o runs/pruned
      edgekit prune runs/digits --method increg --macs 50% -o runs/half
      edgekit prune runs/digits --latency 12ms --target virtual:sdm845
      edgekit prune runs/digits --scan --ratios 25%,50%
    """
    wants_scan = is_scan(ctx)
    heed_others(note)
    from edgekit.data import load_dataset
    from edgekit.pruning import prune as prune_checkpoint
    from edgekit.training import load_checkpoint

    if wants_scan:
        scan_and_print(load_checkpoint(checkpoint), data_root, out, as_json, {**options, "ratios": ratios})
        return
    how = replace(take_pruning(options, engine, epochs), teacher=teacher)
    source = load_checkpoint(checkpoint)
    dataset = load_dataset(source.dataset, root=data_root, image_size=source.pictures.size)
    folder = out or checkpoint.with_name(f"{checkpoint.name}-pruned")
    print_pruning(prune_checkpoint(source, dataset, folder, how, resume=resume), as_json)
