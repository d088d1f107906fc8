"""``edgekit train``: a model and a dataset in, a checkpoint out."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._load import heed_others
from edgekit.cli._options import out_option, table_options
from edgekit.cli._output import note, print_json, print_table, say
from edgekit.cli._placement import place_and_tell, placement_options
from edgekit.cli._spec import spec_options, take_choices


@click.command()
@click.argument("model")
@click.option("--data", required=True, help="digits, fashion-mnist, cifar10, or folder.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the dataset's files are.")
@click.option("--recipe", default="default", show_default=True, help="Named defaults: digits-demo, ...")
@spec_options
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
@click.option("--init", help="Start from imagenet weights or a checkpoint; static layers become dynamic.")
@out_option
@click.option("--resume", is_flag=True, help="Continue the run in --out that was interrupted.")
@table_options
def train(
    model, data, data_root, recipe, dynamic_budget, engine, costs, init, out, resume, as_json, **options
) -> None:
    """Train MODEL on a dataset; `edgekit models` lists the models.

    \b
    Example:
      edgekit train mobilenet_v2 --data digits --recipe digits-demo -o runs/digits
      edgekit train mobilenet_v2 --data digits --init runs/digits --qat --epochs 2
    """
    heed_others(note)
    from edgekit import models, training
    from edgekit.data import load_dataset

    choices = take_choices(options)
    named = training.load_recipe(recipe).override(recipe=options, model=choices)
    dataset = load_dataset(data, root=data_root, image_size=named.model.get("image_size"))
    start = init and (
        models.pretrained(model).model if init == "imagenet" else training.load_checkpoint(init).build()
    )
    spec = training.fit_spec(models.ModelSpec(model, **named.model), dataset)
    folder = out or Path("runs") / f"{model}-{data}"
    how = {"resume": resume, "init": start}
    if dynamic_budget is not None:
        choice = {"resume": resume, "engine": engine, "costs": costs}
        spec, how["placement"] = place_and_tell(spec, dynamic_budget, folder, **choice)
    checkpoint = training.train(spec, dataset, named.recipe, folder, **how)
    if as_json:
        print_json(checkpoint.to_dict())
        return
    print_table(["model", "data", *checkpoint.metrics], [[model, data, *checkpoint.metrics.values()]])
    say(f"checkpoint: {checkpoint.path}")
