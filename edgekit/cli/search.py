"""``edgekit search``: a MobileNet's blocks, searched within a latency."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from edgekit.cli import _options as options
from edgekit.cli._output import note, print_json
from edgekit.cli._progress import Steps
from edgekit.cli._search import print_search, search_options
from edgekit.cli._spec import spec_options, take_choices


@click.command()
@click.argument("model")
@click.option("--data", required=True, help="digits, fashion-mnist, cifar10, or folder.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the dataset's files are.")
@click.option("--latency", required=True, help="What a frame may take: 12ms, or 60% of MODEL's own.")
@options.target_option
@search_options
@spec_options
@options.out_option
@click.option("--resume", is_flag=True, help="Go on with the search in --out that was interrupted.")
@options.output_options
def search(model, data, data_root, latency, target, recipe, timing, out, resume, as_json, **choices) -> None:
    """Find the blocks of MODEL, a MobileNet, that learn best within a latency.

    Kernel, expansion or nothing at each place: blocks are trimmed on easy classes first, then on more
    (DA-NAS-style). Latencies are predicted, by the model of a virtual target or from kernels timed on a
    real one. What is found is a recipe file for `edgekit train`.

    \b
    Example:
      edgekit search mobilenet_v2 --data digits --width 0.35 \\
        --latency 60% --target virtual:sdm845 -o runs/search
      edgekit train runs/search/found.yaml --epochs 20
    """
    with Steps() as steps:
        steps.wait_for("loading PyTorch and the data")
        from edgekit.data import load_dataset
        from edgekit.models import ModelSpec
        from edgekit.search.blocks import SEARCH_RECIPE, timing_on
        from edgekit.search.blocks import search as search_blocks
        from edgekit.training import fit_spec

        network = {name: value for name, value in take_choices(choices).items() if value is not None}
        dataset = load_dataset(data, root=data_root, image_size=network.get("image_size"))
        folder = out or Path("runs") / f"search-{model}-{data}"
        found = search_blocks(
            fit_spec(ModelSpec(model, **network), dataset),
            dataset,
            replace(SEARCH_RECIPE, **recipe),
            folder,
            latency=latency,
            timing=timing_on(target, **timing),
            resume=resume,
            data_root=None if data_root is None else str(data_root),
            progress=steps,
        )
    for warning in found.warnings:
        note(f"Warning: {warning}")
    print_json(found) if as_json else print_search(found, folder)
