"""``edgekit train``: a model and a dataset in, a checkpoint out."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._load import heed_others
from edgekit.cli._options import out_option, table_options
from edgekit.cli._output import note
from edgekit.cli._placement import place_and_tell, placement_options
from edgekit.cli._pruning import print_pruning, print_trained, pruning_options, take_pruning, train_pruned
from edgekit.cli._recipe import chosen_recipe, recipe_options, task_option, told
from edgekit.cli._spec import spec_options, take_choices


@click.command()
@click.argument("model", metavar="[MODEL|FILE.yaml]", default="none")
@click.option("--data", help="A dataset, such as digits or folder: see edgekit data.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the dataset's files are.")
@task_option
@recipe_options
@spec_options
@placement_options(required=False)
@pruning_options("--prune")
@click.option("--init", help="Start from imagenet weights or a checkpoint; with --prune: what is pruned.")
@out_option
@click.option("--resume", is_flag=True, help="Continue the run in --out that was interrupted.")
@table_options
def train(
    model, data, data_root, task, recipe, dynamic_budget, init, out, resume, as_json, **options
) -> None:
    """Train MODEL on a dataset, or what a recipe file says; `edgekit models` lists the models.

    A task that brings all of its network, as melody does, takes no MODEL.

    \b
    Example:
      edgekit train mobilenet_v2 --data digits --recipe digits-demo -o runs/digits
      edgekit train mobilenet_v2 --data digits --init runs/digits --qat --epochs 2
      edgekit train resnet20 --data digits --prune sfp --macs 50%
      edgekit train resnet20 --data digits --use mixup:alpha=0.4 --teacher runs/a
      edgekit train mobilenet_v2 --task face-parsing:roi=crop --data faces
      edgekit train --task melody --data tunes
      edgekit train digits-small.yaml --epochs 5
    """
    heed_others(note)
    from edgekit import models, training
    from edgekit.data import load_dataset

    file = told(model, data, data_root, recipe, task)
    folder = out or Path("runs") / file.name
    placing = {name: options.pop(name) for name in ("engine", "costs")}
    pruning = take_pruning(options, placing["engine"], file=file)
    named = chosen_recipe(file.named, take_choices(options), options)
    dataset = load_dataset(file.data, root=file.data_root, image_size=named.model.get("image_size"))
    init = init or file.init
    start = training.starting_network(file.model, init) if init and not pruning else init
    spec = training.fit_spec(models.ModelSpec(file.model, **named.model), dataset)
    for warning in training.shift_warnings(spec, named.recipe):
        note(f"Warning: {warning}")
    how = {"resume": resume, "init": start, "task": file.task}
    if dynamic_budget is not None:
        spec, how["placement"] = place_and_tell(spec, dynamic_budget, folder, resume=resume, **placing)
    if pruning:
        print_pruning(train_pruned(spec, dataset, named.recipe, folder, pruning, **how), as_json)
    else:
        print_trained(training.train(spec, dataset, named.recipe, folder, **how), as_json)
