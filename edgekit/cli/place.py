"""``edgekit place``: where dynamic blocks cost least."""

from __future__ import annotations

import click

from edgekit.cli._options import output_options
from edgekit.cli._output import note, print_json
from edgekit.cli._placement import placement_options, print_placement
from edgekit.cli._progress import Steps


@click.command()
@click.argument("model")
@placement_options(required=True)
@click.option("--act", help="Dynamic ReLU to place: dyrelu-a, dyrelu-b or dyrelu-c.")
@click.option("--dynamic-conv", help="pointwise: place dynamic 1x1 convolutions. Default: both kinds.")
@click.option("--width", type=float, default=1.0, show_default=True, help="Factor on all channel counts.")
@click.option("--image-size", type=int, help="Side of the input in pixels; default: the model's own.")
@click.option("--in-channels", type=int, default=3, show_default=True, help="3 for colour, 1 for grey.")
@click.option("--num-classes", type=int, help="Outputs; default: the model's own.")
@click.option("--verify/--no-verify", default=True, help="Measure what the chosen blocks add in MODEL.")
@output_options
def place(model, dynamic_budget, act, dynamic_conv, engine, costs, verify, as_json, **shape) -> None:
    """Measure what a dynamic block costs at each layer of MODEL and choose layers within a budget.

    \b
    Example:
      edgekit place mobilenet_v2 --width 0.35 --image-size 32 --dynamic-budget 10%
    """
    with Steps() as steps:
        steps.wait_for("loading PyTorch and the model")
        from edgekit.models import MODELS, ModelSpec
        from edgekit.search.placement import dynamic_choices, parse_budget
        from edgekit.search.placement import place as place_blocks

        budget = parse_budget(dynamic_budget)
        entry = MODELS.get(model)
        shape["image_size"] = shape["image_size"] or entry.image_size
        shape["num_classes"] = shape["num_classes"] or entry.num_classes
        spec = ModelSpec(model, **shape, **dynamic_choices(act, dynamic_conv))
        placement = place_blocks(spec, budget, engine=engine, costs=costs, verify=verify, progress=steps)
    for warning in placement.warnings:
        note(f"Warning: {warning}")
    if as_json:
        print_json(placement.to_dict())
    else:
        print_placement(placement)
