"""Training: recipes, the loop, hooks, and checkpoints."""

from edgekit.training import _extras  # noqa: F401 (before what needs them)
from edgekit.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from edgekit.training.hooks import Hook, TemperatureAnnealing
from edgekit.training.quantization_aware import QuantizationAware
from edgekit.training.recipe import RECIPES, NamedRecipe, Recipe, load_recipe
from edgekit.training.run import fit_spec, train
from edgekit.training.schedule import learning_rate
from edgekit.training.task import Classification, Task
from edgekit.training.trainer import Trainer, build_optimizer, evaluate

__all__ = [
    "RECIPES",
    "Checkpoint",
    "Classification",
    "Hook",
    "NamedRecipe",
    "QuantizationAware",
    "Recipe",
    "Task",
    "TemperatureAnnealing",
    "Trainer",
    "build_optimizer",
    "evaluate",
    "fit_spec",
    "learning_rate",
    "load_checkpoint",
    "load_recipe",
    "save_checkpoint",
    "train",
]
