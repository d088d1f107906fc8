"""Training: recipes, the loop, hooks, and checkpoints."""

from edgekit.training import _extras  # noqa: F401 (before what needs them)
from edgekit.training.batch_norm import reestimate_batch_norm
from edgekit.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from edgekit.training.evaluation import evaluate
from edgekit.training.hooks import EndAtOnce, Hook, TemperatureAnnealing, Training
from edgekit.training.optimizer import build_optimizer
from edgekit.training.quantization_aware import QuantizationAware
from edgekit.training.recipe import RECIPES, NamedRecipe, Recipe, load_recipe
from edgekit.training.recipe_file import (
    RecipeFile,
    is_recipe_file,
    list_recipe_files,
    load_recipe_file,
)
from edgekit.training.run import fit_spec, starting_network, train
from edgekit.training.schedule import learning_rate
from edgekit.training.technique import (
    TECHNIQUES,
    Objective,
    Supervised,
    Technique,
    make_techniques,
    register_technique,
)
from edgekit.training.trainer import Trainer
from edgekit.training.variance_shift import find_shifted_norms, shift_warnings, variance_ratios

__all__ = [
    "RECIPES",
    "TECHNIQUES",
    "Checkpoint",
    "EndAtOnce",
    "Hook",
    "NamedRecipe",
    "Objective",
    "QuantizationAware",
    "Recipe",
    "RecipeFile",
    "Supervised",
    "Technique",
    "TemperatureAnnealing",
    "Trainer",
    "Training",
    "build_optimizer",
    "evaluate",
    "find_shifted_norms",
    "fit_spec",
    "is_recipe_file",
    "learning_rate",
    "list_recipe_files",
    "load_checkpoint",
    "load_recipe",
    "load_recipe_file",
    "make_techniques",
    "reestimate_batch_norm",
    "register_technique",
    "save_checkpoint",
    "shift_warnings",
    "starting_network",
    "train",
    "variance_ratios",
]

from edgekit.training import techniques  # noqa: F401 (they register, with what stands above)
