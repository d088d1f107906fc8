"""``edgekit train``: a model and a dataset in, a checkpoint out."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._load import heed_others
from edgekit.cli._options import out_option, table_options
from edgekit.cli._output import note, print_json, print_table, say
from edgekit.cli._placement import place_and_tell, placement_options
from edgekit.cli._recipe import chosen_recipe, recipe_options, told
from edgekit.cli._spec import spec_options, take_choices


@click.command()
@click.argument("model", metavar="MODEL|FILE.yaml")
@click.option("--data", help="digits, fashion-mnist, cifar10, or folder.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the dataset's files are.")
@recipe_options
@spec_options
@placement_options(required=False)
@click.option("--init", help="Start from imagenet weights or a checkpoint; static layers become dynamic.")
@out_option
@click.option("--resume", is_flag=True, help="Continue the run in --out that was interrupted.")
@table_options
def train(
    model, data, data_root, recipe, dynamic_budget, engine, costs, init, out, resume, as_json, **options
) -> None:
    """Train MODEL on a dataset, or what a recipe file says; `edgekit models` lists the models.

    \b
    Example:
      edgekit train mobilenet_v2 --data digits --recipe digits-demo -o runs/digits
      edgekit train mobilenet_v2 --data digits --init runs/digits --qat --epochs 2
      edgekit train resnet20 --data digits --use ema --use mixup:alpha=0.4 --teacher runs/large
      edgekit train digits-small.yaml --epochs 5
    """
    heed_others(note)
    from edgekit import models, training
    from edgekit.data import load_dataset

    folder = out or Path("runs") / (Path(model).stem if training.is_recipe_file(model) else f"{model}-{data}")
    model, data, data_root, named = told(model, data, data_root, recipe)
    named = chosen_recipe(named, take_choices(options), options)
    dataset = load_dataset(data, root=data_root, image_size=named.model.get("image_size"))
    start = init and (
        models.pretrained(model).model if init == "imagenet" else training.load_checkpoint(init).build()
    )
    spec = training.fit_spec(models.ModelSpec(model, **named.model), dataset)
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
