"""``edgekit parity``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options as options
from edgekit.cli._output import print_json
from edgekit.cli._parity import print_layers, print_outputs
from edgekit.cli._progress import Steps


@click.command()
@options.bundle_argument
@click.option("--model", required=True, help="What the bundle was exported from, as for `edgekit export`.")
@options.input_shape_option
@click.option(
    "--weights", type=click.Path(path_type=Path), help="As for `edgekit export`, when it was given there."
)
@click.option("--inputs", type=click.Path(path_type=Path), help="Image or folder of images to compare on.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the dataset's files are.")
@click.option("--variant", "variants", multiple=True, help="Only this variant; repeatable.")
@options.tolerance_option
@click.option("--layers", "by_layer", is_flag=True, help="Compare every module and name the first wrong one.")
@options.output_options
def parity(
    bundle: Path, model: str, variants: tuple[str, ...], tolerance: float, by_layer: bool, as_json: bool,
    **given: Any,
) -> None:  # fmt: skip
    """Compare the files of BUNDLE with the eager model, output by output or layer by layer.

    Exits with 3 when a float file differs by more than the tolerance. A LiteRT file is read layer
    by layer as it is; for ExecuTorch the model is exported again with every layer as an output.

    \b
    Example:
      edgekit parity mbv2.edgekit --model mobilenet_v2
      edgekit parity digits.edgekit --model runs/pruned --layers
    """
    from runtime.bundle import Bundle
    from runtime.errors import ParityError

    opened = Bundle.open(bundle)
    with Steps() as steps:
        steps.wait_for("loading PyTorch and the model")
        from edgekit.export import find_origin
        from edgekit.export.recheck import recheck_bundle

        results = recheck_bundle(
            opened, find_origin(model, **given), variants=variants, tolerance=tolerance, by_layer=by_layer,
            progress=steps,
        )  # fmt: skip
    if as_json:
        print_json(results)
    else:
        print_outputs(results)
        print_layers(results)
    problems = [result.problem for result in results if result.problem]
    if problems:
        raise ParityError("; ".join(problems))
