"""``edgekit prune``: a checkpoint in, a smaller one out."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._load import heed_others
from edgekit.cli._options import out_option, table_options
from edgekit.cli._output import note, print_json, print_table, say

_ROWS = (
    ("MACs", "macs"),
    ("parameters", "params"),
    ("latency, ms (eager, 1 thread)", "latency_ms"),
    ("test accuracy", "test_top1"),
)


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--method", default="psfp", show_default=True, help="psfp (asfp), sfp or one-shot.")
@click.option("--rate", type=float, default=0.3, show_default=True, help="Share of channels to remove.")
@click.option("--epochs", type=int, help="Epochs with the method; default: half of the checkpoint's.")
@click.option("--finetune-epochs", type=int, help="Epochs after the removal; default: half.")
@click.option(
    "--round-to", type=int, default=8, show_default=True, help="Keep multiples of this many channels."
)
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the dataset's files are.")
@out_option
@click.option("--resume", is_flag=True, help="Continue the run in --out that was interrupted.")
@table_options
def prune(checkpoint, data_root, out, as_json, **options) -> None:
    """Remove channels of CHECKPOINT and train back the accuracy; shows the cost before and after.

    \b
    Example:
      edgekit prune runs/digits --method psfp --rate 0.3 -o runs/pruned
    """
    heed_others(note)
    from edgekit.data import load_dataset
    from edgekit.pruning import prune as prune_checkpoint
    from edgekit.training import load_checkpoint

    source = load_checkpoint(checkpoint)
    dataset = load_dataset(source.dataset, root=data_root, image_size=source.image.size)
    folder = out or checkpoint.with_name(f"{checkpoint.name}-pruned")
    pruned = prune_checkpoint(source, dataset, folder, **options)
    report = pruned.pruning
    for warning in report["warnings"]:
        note(f"Warning: {warning}")
    if as_json:
        print_json(pruned.to_dict())
        return
    rows = [(label, report["before"][key], report["after"][key]) for label, key in _ROWS]
    print_table(
        ["", "before", "after", "after/before"],
        [(label, before, after, f"{after / before:.2f}") for label, before, after in rows],
    )
    say(f"checkpoint: {pruned.path}")
