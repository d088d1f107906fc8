"""Options that choose how something is trained: a recipe, its numbers and its techniques."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._registered import RegisteredOption

if TYPE_CHECKING:
    from edgekit.training import NamedRecipe, RecipeFile


class Technique(click.ParamType):
    """A training technique with options: ema, or ema:decay=0.99,..."""

    name = "technique"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, dict[str, Any]]:
        from edgekit.tasks import read_named

        try:
            return read_named(str(value), "technique")
        except ValueError as err:
            self.fail(str(err), param, ctx)


task_option = click.option(
    "--task", cls=RegisteredOption, registry="edgekit.tasks:TASKS", metavar="NAME[:OPTION=VALUE,...]",
    help="What the network is for; default: classification.",
)  # fmt: skip
_OPTIONS = (
    click.option("--recipe", help="Named defaults and techniques, joined by +: digits-demo+ema."),
    click.option(
        "--use", cls=RegisteredOption, registry="edgekit.training:TECHNIQUES", type=Technique(),
        multiple=True, metavar="NAME[:OPTION=VALUE,...]", help="A training technique; repeatable.",
    ),
    click.option("--teacher", help="Checkpoint to distil from: kd, unless rco is used."),
    click.option("--epochs", type=int),
    click.option("--batch-size", type=int, help="Images per step and process."),
    click.option("--accumulate", type=int, help="Batches whose gradients make one step."),
    click.option("--optimizer", help="sgd or adamw."),
    click.option("--lr", type=float, help="Highest learning rate."),
    click.option("--label-smoothing", type=float, help="Share of a label spread over all classes."),
    click.option("--device", help="auto, cpu or cuda."),
    click.option("--devices", type=int, help="How many of it; more than one trains by DDP."),
    click.option("--precision", help="32-true, 16-mixed, bf16-mixed, or auto: try which is quicker."),
    click.option("--compile", is_flag=True, default=None, help="Compile steps: faster after a minute."),
    click.option("--limit", type=int, help="Train on so many images, of every class alike."),
    click.option("--eval-every", type=int, help="Epochs from one test to the next; the last is tested."),
    click.option("--qat", is_flag=True, default=None, help="Quantisation-aware: learn to bear int8."),
    click.option("--seed", type=int, help="Seed of weights, order, augmentation and dropout."),
)  # fmt: skip


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose how something is trained."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen_recipe(base: NamedRecipe, choices: dict[str, Any], options: dict[str, Any]) -> NamedRecipe:
    """Return ``base`` with what was given on the command line in place of its own.

    Args:
        choices: fields of ``ModelSpec``.
        options: those of ``recipe_options``, without ``--recipe``.
    """
    from edgekit.training.technique import with_teacher

    use, teacher = {**base.recipe.use, **dict(options.pop("use"))}, options.pop("teacher")
    use = use if teacher is None else with_teacher(use, teacher)
    return base.override(recipe={**options, "use": use}, model=choices)


def told(
    model: str, data: str | None, data_root: Path | None, recipe: str | None, task: str | None
) -> RecipeFile:
    """Return what the command line says as a recipe file would; or what the file ``model`` says.

    Raises:
        click.UsageError: no data are named, or a recipe beside a file, which has its own.
    """
    from edgekit.models import NO_MODEL
    from edgekit.tasks import named_task
    from edgekit.training import RecipeFile, is_recipe_file, load_recipe, load_recipe_file

    root = None if data_root is None else str(data_root)
    purpose = None if task is None else named_task(task)
    if not is_recipe_file(model):
        if data is None:
            raise click.UsageError("Missing option '--data'; for example: --data digits")
        name = model.replace(".py", "") if model != NO_MODEL or purpose is None else purpose.name
        named = load_recipe(recipe or "default")
        return RecipeFile(
            f"{Path(name).name.replace(':', '-')}-{data}", model, data, named, root, task=purpose
        )
    if recipe is not None:
        raise click.UsageError(f"{model} has a recipe of its own; write --recipe's into its line 'recipe:'")
    file = load_recipe_file(model)
    return replace(file, data=data or file.data, data_root=root or file.data_root, task=purpose or file.task)
