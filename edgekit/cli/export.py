"""``edgekit export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options as options
from edgekit.cli._bundle import print_variants
from edgekit.cli._output import note, print_json
from edgekit.cli._progress import Steps
from edgekit.cli._quantize import quantize_options
from runtime.bundle import ENGINES


@click.command()
@click.argument("model")
@click.option("--engine", "engines", multiple=True, default=ENGINES, show_default=True)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Local file of ImageNet weights, or none for random ones.",
)
@click.option("--inputs", type=click.Path(path_type=Path), help="Image or folder of images to check on.")
@options.input_shape_option
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the dataset's files are.")
@options.tolerance_option
@click.option("--allow-fallback", multiple=True, metavar="OP", help="Ops, a,b,c, that may leave it.")
@quantize_options
@click.option("--overwrite", is_flag=True, help="Replace the bundle that is there.")
@options.out_option
@options.output_options
def export(
    model: str, out: Path | None, as_json: bool, **settings: Any
) -> None:  # fmt: skip
    """Export MODEL (a model's name, a checkpoint or path/to/file.py:function) to a bundle.

    A .py file runs as your own code. Its function takes nothing and returns a module that has
    example_inputs, (module, inputs), or a dict of these by graph; or a module alone, with
    --input-shape. Without a function it is get_model() and get_args() that are called. Inputs are
    tensors in order or by name; outputs a tensor, or a tuple, list or dict of them. With a variable
    preprocess = edgekit.Preprocess(...) in the file the bundle takes pictures and names classes.

    The files are compared with the eager model on real inputs, and every op must stay in the fast
    delegate; else nothing is written and the exit status is 3. Quantised files take and give float;
    --max-drop keeps layers float until the score holds.

    \b
    Rewritten by rule, with the same numbers (table in docs/export.md): means,
    norms, indexing, splits, pooling, powers, clamp(0, 1), attention and others.

    \b
    Example:
      edgekit export efficientnet_lite0 -o lite0.edgekit
      edgekit export runs/pruned --engine litert -o digits.edgekit
      edgekit export detector.py:make --input-shape 1x3x320x320
      edgekit export runs/fashion --precision static_wi8_ai8 --max-drop 1%
    """
    with Steps() as steps:
        steps.wait_for("loading PyTorch and the model")
        from edgekit.api.export import export as export_model

        bundle = export_model(model, out=out, progress=steps, **settings)
    if as_json:
        print_json(bundle.manifest)
    else:
        print_variants(bundle)
    note(f"bundle: {bundle.path}")
