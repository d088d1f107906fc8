"""How a search goes on: its stages and its constants."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.search.blocks.space import CANDIDATES
from edgekit.training import Recipe

# Of all epochs. An epoch gives each of a place's candidates its share of the steps: the fewer are left,
# the fewer epochs they need.
_EPOCHS = (2, 5, 3, 2, 1)
# Narrow MobileNets learn in few steps by it; by the default recipe of SGD they did not leave chance in 200.
SEARCH_RECIPE = Recipe(
    epochs=26, batch_size=32, optimizer="adamw", lr=3e-3, weight_decay=0.02, warmup_epochs=1
)


@dataclass(frozen=True)
class SearchPlan:
    """What decides a search beside network, data and recipe.

    Attributes:
        candidates: blocks that may stand at each open place; a place may also be skipped.
        shares: of the images, in the stage that only warms weights up, and of the classes in each
            later one, easiest first. They never fall.
        tau: after a stage a candidate goes that is less likely than ``tau`` times the mean of its place.
        every: steps of the weights for one of the scores.
        lr: of the scores.
        mu: what the logarithm of latency above the budget costs, beside the cross-entropy.
        validation: share of the training images that scores learn from.
    """

    candidates: tuple[str, ...] = CANDIDATES
    shares: tuple[float, ...] = (0.25, 0.25, 0.4, 0.7, 1.0)
    tau: float = 0.7
    every: int = 2
    lr: float = 0.03
    mu: float = 1.0
    validation: float = 0.25

    def __post_init__(self) -> None:
        if len(self.candidates) < 2 or len(set(self.candidates)) < len(self.candidates):
            raise ValueError(f"candidates are {self.candidates}; give two or more blocks, none twice")
        if len(self.shares) != len(_EPOCHS) or sorted(self.shares) != list(self.shares):
            raise ValueError(
                f"shares are {self.shares}; give {len(_EPOCHS)}, none smaller than the one before"
            )
        if not 0 < self.shares[0] <= self.shares[-1] == 1:
            raise ValueError(f"shares are {self.shares}; they go from above 0 to 1")
        if not (0 <= self.tau < 1 and self.every >= 1 and self.lr > 0 and self.mu >= 0):
            raise ValueError(
                f"tau is {self.tau}, every {self.every}, lr {self.lr}, mu {self.mu}; tau must be in [0, 1), "
                "every at least 1, lr above 0, mu 0 or more"
            )
        if not 0 < self.validation < 1:
            raise ValueError(f"validation is {self.validation}; it must be above 0 and below 1")

    def epochs(self, total: int) -> tuple[int, ...]:
        """Return the epochs of each stage, at least one; together ``total``.

        Raises:
            ValueError: ``total`` is too small.

        Example:
            >>> SearchPlan().epochs(26)
            (4, 10, 6, 4, 2)
        """
        if total < len(_EPOCHS):
            raise ValueError(f"epochs is {total}; a search has {len(_EPOCHS)} stages: give one each or more")
        found = [max(1, total * weight // sum(_EPOCHS)) for weight in _EPOCHS]
        # What is left goes to the early stages, where most candidates are and images are few.
        found[1] += total - sum(found)
        return tuple(found)


def check_recipe(recipe: Recipe) -> None:
    """Refuse what a search cannot be trained by.

    Raises:
        ValueError: several processes, or techniques.
    """
    if recipe.devices != 1:
        raise ValueError(f"devices is {recipe.devices}; a search draws other blocks in each step: give 1")
    if recipe.use or recipe.qat:
        used = ", ".join([*recipe.use, *(["qat"] if recipe.qat else [])])
        raise ValueError(f"a search trains without {used}; give it when the network that is found is trained")
