"""``edgekit predict``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli import _options as options
from edgekit.cli._kernels import KERNELS
from edgekit.cli._output import print_json

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("model", type=_PATH)
@options.target_option
@click.option(
    "--kernels", type=_PATH, default=KERNELS, show_default=True, help="Bundle of kernels timed on the target."
)
@options.variant_option
@options.open_shape_option
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Only the N slowest ops; default: all.")
@options.table_options
def predict(model, target, kernels, variant, input_shapes, top, as_json) -> None:
    """Say what a frame of MODEL takes on a target that never ran it.

    MODEL is a .edgekit folder or a .tflite file. What each op takes was learnt from kernels that
    were timed there once, by `edgekit fit --kernels --target TARGET`; the target is not asked.

    \b
    Example:
      edgekit fit --kernels --target ssh:pi@board
      edgekit predict model.edgekit --target ssh:pi@board --top 10
    """
    from edgekit.cli._kernels import print_prediction
    from runtime.choose.fitting.kernels.predict import predict as predict_model
    from runtime.engines.model_file import open_bundle_or_model

    found = predict_model(open_bundle_or_model(model, input_shapes), kernels, target, variant)
    if as_json:
        print_json(found)
    else:
        print_prediction(found, top)
