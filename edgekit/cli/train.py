"""``edgekit train``: a model and a dataset in, a checkpoint out."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._load import heed_others
from edgekit.cli._options import out_option, table_options
from edgekit.cli._output import note
from edgekit.cli._placement import place_and_tell, placement_options
from edgekit.cli._pruning import print_pruning, print_trained, pruning_options, take_pruning, train_pruned


@click.command()
@click.argument("model")
@click.option("--data", required=True, help="digits, fashion-mnist, cifar10, or folder.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the dataset's files are.")
@click.option("--recipe", default="default", show_default=True, help="Named defaults: digits-demo, ...")
@click.option("--width", type=float, help="Factor on all channel counts.")
@click.option("--image-size", type=int, help="Side of the input in pixels; default: the dataset's own.")
@click.option("--act", help="relu, dyrelu-a, dyrelu-b or dyrelu-c instead of the model's own.")
@click.option("--dynamic-conv", help="pointwise: make the 1x1 convolutions dynamic.")
@placement_options(required=False)
@click.option("--epochs", type=int)
@click.option("--batch-size", type=int, help="Images per step and process.")
@click.option("--optimizer", help="sgd or adamw.")
@click.option("--lr", type=float, help="Highest learning rate.")
@click.option("--device", help="auto, cpu or cuda.")
@click.option("--devices", type=int, help="How many of it; more than one trains by DDP.")
@click.option("--precision", help="32-true, 16-mixed or bf16-mixed.")
@click.option("--qat", is_flag=True, default=None, help="Quantisation-aware: learn to bear int8.")
@click.option("--seed", type=int, help="Seed of weights, order, augmentation and dropout.")
@pruning_options("--prune")
@click.option("--init", help="Start from imagenet weights or a checkpoint; static layers become dynamic.")
@out_option
@click.option("--resume", is_flag=True, help="Continue the run in --out that was interrupted.")
@table_options
def train(model, data, data_root, recipe, dynamic_budget, init, out, resume, as_json, **options) -> None:
    """Train MODEL on a dataset; `edgekit models` lists the models.

    \b
    Example:
      edgekit train mobilenet_v2 --data digits --recipe digits-demo -o runs/digits
      edgekit train mobilenet_v2 --data digits --init runs/digits --qat --epochs 2
      edgekit train resnet20 --data digits --prune sfp --macs 50%
    """
    heed_others(note)
    from edgekit import models, training
    from edgekit.data import load_dataset

    pruning = take_pruning(options)
    placing = {name: options.pop(name) for name in ("engine", "costs")}
    choices = {name: options.pop(name) for name in ("width", "image_size", "act", "dynamic_conv")}
    named = training.load_recipe(recipe).override(recipe=options, model=choices)
    dataset = load_dataset(data, root=data_root, image_size=named.model.get("image_size"))
    start = init and training.starting_network(model, init)
    spec = training.fit_spec(models.ModelSpec(model, **named.model), dataset)
    folder = out or Path("runs") / f"{model}-{data}"
    how = {"resume": resume, "init": start}
    if dynamic_budget is not None:
        spec, how["placement"] = place_and_tell(spec, dynamic_budget, folder, resume=resume, **placing)
    if pruning:
        print_pruning(train_pruned(spec, dataset, named.recipe, folder, pruning, **how), as_json)
    else:
        print_trained(training.train(spec, dataset, named.recipe, folder, **how), as_json)
