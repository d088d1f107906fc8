"""``edgekit models``: the models that can be built, and what they cost."""

from __future__ import annotations

import click

from edgekit.cli._options import output_options
from edgekit.cli._output import print_json, print_table
from edgekit.cli._progress import Steps
from runtime.extras import require


@click.command()
@click.argument("pattern", default="*")
@output_options
def models(pattern: str, as_json: bool) -> None:
    """List the models, with parameters and multiply-accumulates of one image at full width.

    PATTERN is a shell pattern.

    \b
    Example:
      edgekit models 'mobilenet*'
    """
    require("torch", extra="train")
    with Steps() as steps:
        steps.wait_for("loading PyTorch and building the models")
        from edgekit.models import describe_models

        infos = describe_models(pattern)
    if as_json:
        print_json(infos)
        return
    rows = [
        (
            info.name,
            info.image_size,
            info.num_classes,
            f"{info.params / 1e6:.2f}",
            f"{info.macs / 1e6:.1f}",
            "ImageNet" if info.is_pretrained else None,
        )
        for info in infos
    ]
    print_table(("model", "image", "classes", "params, M", "MACs, M", "weights"), rows)
