"""What each training technique and block changes: ``python -m tests.benchmarks.techniques``.

On the 8x8 digits, a thousand images, a narrow ResNet-20, some seeds: each technique is held against the
effect that shows in minutes (noise borne, a smaller divergence from a teacher, ...), not against a paper's
accuracy. An effect that is asked must also be more than twice the deviation of the seeds' differences.
Where nothing is asked, figures are only reported. ``--runs`` keeps what is finished.
"""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import click

from edgekit.cli._output import note
from edgekit.data import limit_training, load_dataset
from edgekit.training import Recipe
from tests.benchmarks._ablation import Bench
from tests.benchmarks._ablations import ABLATIONS
from tests.benchmarks._table import show, write_report

RECIPE = Recipe(batch_size=32, device="cpu", warmup_epochs=1)
NAMES = [ablation.__name__ for ablation in ABLATIONS]
_COLUMNS = ("method", "figure", "without", "with", "difference", "sd", "asked", "holds")
_HOLDS = {None: None, True: "yes", False: "no"}
_SIDE = 8


@click.command(help=__doc__)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Where to write the result.")
@click.option("--seeds", type=int, default=5, show_default=True)
@click.option("--epochs", type=int, default=16, show_default=True)
@click.option("--images", type=int, default=1000, show_default=True, help="To train on.")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Repeatable.")
@click.option("--runs", type=click.Path(path_type=Path), help="Folder that keeps what is finished.")
def main(json_path, seeds, epochs, images, only, runs) -> None:
    dataset = limit_training(load_dataset("digits", image_size=_SIDE), images)
    with nullcontext(runs) if runs else tempfile.TemporaryDirectory() as folder:
        bench = Bench(dataset, replace(RECIPE, epochs=epochs), seeds, Path(folder))
        rows = []
        for ablation in ABLATIONS:
            if not only or ablation.__name__ in only:
                rows += list(ablation(bench))
                note(f"{ablation.__name__}: done")
    show({name: name for name in _COLUMNS}, [{**one, "holds": _HOLDS[one["holds"]]} for one in rows])
    asked = [one for one in rows if one["holds"] is not None]
    summary = {"asked": len(asked), "hold": sum(bool(one["holds"]) for one in asked)}
    write_report(json_path, "techniques", rows, {**summary, "epochs": epochs, "images": len(dataset.train)})


if __name__ == "__main__":
    main()
