"""Recipes: every number a training depends on, in one frozen record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from runtime.registry import Registry

OPTIMIZERS = ("sgd", "adamw")
PRECISIONS = ("32-true", "16-mixed", "bf16-mixed", "auto")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        epochs: passes over the training images.
        batch_size: images per step and process.
        optimizer: ``sgd`` (Nesterov momentum) or ``adamw``.
        lr: highest learning rate: reached after ``warmup_epochs``, then a half cosine down to 0.
        weight_decay: of weights; biases and normalisation have none.
        label_smoothing: share of the target spread over all classes.
        augment: shift images by up to an eighth, and mirror them where the dataset allows.
        qat: round weights and activations as an int8 export will, so that the network learns to bear it.
        temperature_epochs: epochs in which dynamic convolutions anneal from 30 to 1; 0: stay at 1.
        precision: as Lightning Fabric calls it; ``auto``: the quicker one, tried before the training: see
            ``edgekit.training.precision``.
        device: ``auto``, ``cpu`` or ``cuda``; ``devices`` processes of it, by DDP when more than one.
        compile: let torch.compile make the steps faster; it takes a C++ compiler and a minute or so.
        workers: processes that read images; 0 reads in the training's own.
        seed: of initial weights, order, augmentation and dropout.
        accumulate: batches whose gradients make one step.
        limit: train on so many images, of every class alike, drawn by the seed; 0: on all.
        eval_every: epochs from one test to the next; the last epoch is always tested.
        use: training techniques by name, each with its options: see ``edgekit.training.technique``.
    """

    epochs: int = 30
    batch_size: int = 64
    optimizer: str = "sgd"
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup_epochs: int = 2
    label_smoothing: float = 0.1
    augment: bool = True
    qat: bool = False
    temperature_epochs: int = 10
    precision: str = "32-true"
    device: str = "auto"
    devices: int = 1
    compile: bool = False
    workers: int = 0
    seed: int = 0
    accumulate: int = 1
    limit: int = 0
    eval_every: int = 1
    use: dict[str, dict[str, Any]] = field(default_factory=dict)

    def identity(self) -> dict[str, Any]:
        """Return what decides the result: everything but where and by how many readers it is made."""
        everything = asdict(self)
        return {name: everything[name] for name in everything if name not in ("device", "workers")}

    def __post_init__(self) -> None:
        for name, allowed in (("optimizer", OPTIMIZERS), ("precision", PRECISIONS), ("device", DEVICES)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}; allowed: {', '.join(allowed)}")
        for name in ("epochs", "batch_size", "devices", "accumulate", "eval_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("weight_decay", "warmup_epochs", "temperature_epochs", "workers", "seed", "limit"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 0 or more")
        if not 0 < self.lr < float("inf"):
            raise ValueError(f"lr is {self.lr}; it must be above 0")
        if not (0 <= self.label_smoothing < 1 and 0 <= self.momentum < 1):
            raise ValueError(
                f"label_smoothing is {self.label_smoothing}, momentum {self.momentum}; both must be in [0, 1)"
            )


@dataclass(frozen=True)
class NamedRecipe:
    """A recipe together with the model options it was found for (fields of ``ModelSpec``)."""

    recipe: Recipe
    model: dict[str, Any]

    def override(self, *, recipe: dict[str, Any], model: dict[str, Any]) -> NamedRecipe:
        """Return a copy with the given values in place of its own; ``None`` leaves one as it is."""
        changes = {name: value for name, value in recipe.items() if value is not None}
        options = {name: value for name, value in model.items() if value is not None}
        return NamedRecipe(replace(self.recipe, **changes), {**self.model, **options})

    def join(self, other: NamedRecipe) -> NamedRecipe:
        """Return a copy with whatever ``other`` sets that is not the default, and the techniques of both."""
        changes = {
            item.name: getattr(other.recipe, item.name)
            for item in fields(Recipe)
            if getattr(other.recipe, item.name) != getattr(_DEFAULTS, item.name)
        }
        changes["use"] = {**self.recipe.use, **other.recipe.use}
        return NamedRecipe(replace(self.recipe, **changes), {**self.model, **other.model})


_DEFAULTS = Recipe()


RECIPES: Registry[Callable[[], NamedRecipe]] = Registry("recipe")


def load_recipe(name: str) -> NamedRecipe:
    """Return the recipe called ``name``; of names joined by ``+`` the later ones decide.

    Raises:
        ValueError: unknown name.
    """
    first, *others = [RECIPES.get(part)() for part in name.split("+")]
    for other in others:
        first = first.join(other)
    return first


@RECIPES.register("default")
def default() -> NamedRecipe:
    """Return the defaults."""
    return NamedRecipe(Recipe(), {})


@RECIPES.register("digits-demo")
def digits_demo() -> NamedRecipe:
    """Return what learns the 8x8 digits in minutes on two cores: a narrow net with dynamic blocks.

    Images of 16 pixels cost a third less than of 32 and are learned as well.
    """
    recipe = Recipe(
        epochs=6,
        batch_size=32,
        optimizer="adamw",
        lr=3e-3,
        weight_decay=0.02,
        warmup_epochs=1,
        temperature_epochs=3,
    )
    model = {"width": 0.35, "image_size": 16, "act": "dyrelu-b", "dynamic_conv": "pointwise"}
    return NamedRecipe(recipe, model)
