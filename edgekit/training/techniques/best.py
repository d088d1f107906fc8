"""Best epoch: the weights that are kept are those that scored best on images set apart from training.

They come out of the training split, equally from all classes where an image has one class: the test images
decide nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from edgekit.data import Split
from edgekit.data.dataset import strata_of, stratified_split
from edgekit.training.evaluation import evaluate
from edgekit.training.hooks import Hook, Training
from edgekit.training.technique import Technique, register_technique


@register_technique("best")
class Best(Technique):
    """Keeps the weights of the best epoch; of equally good ones the first.

    Args:
        share: of the training images to set apart.
        seed: which ones.

    Raises:
        ValueError: ``share`` is out of range.
    """

    def __init__(self, share: float = 0.1, seed: int = 0):
        if not 0 < share < 1:
            raise ValueError(f"best: share is {share}; it must be above 0 and below 1")
        self.share, self.seed = share, seed
        self.keeper = _Keeper()

    def training_data(self, split: Split) -> Split:
        kept, apart = stratified_split(strata_of(split.labels), self.share, self.seed)
        if not len(kept) or not len(apart):
            raise ValueError(
                f"best: share {self.share} of {len(split)} images sets {len(apart)} apart and leaves "
                f"{len(kept)} to train on; give another share, or more images"
            )
        self.keeper.validation = split.part(apart)
        return split.part(kept)

    def keep_last_epoch(self) -> None:
        self.keeper.chooses = False

    def hooks(self) -> Sequence[Hook]:
        return (self.keeper,)


class _Keeper(Hook):
    """Scores every epoch and remembers the best one."""

    validation: Split

    def __init__(self) -> None:
        self.chooses = True
        self.score = -1.0
        self.weights: dict[str, Tensor] = {}

    def metrics(self, run: Training) -> dict[str, float]:
        # Here, not at the epoch's end: whatever other hooks do to the weights then has been done.
        score = evaluate(run.model, self.validation, task=run.task)
        if self.chooses and score > self.score:
            self.score = score
            self.weights = {name: tensor.clone() for name, tensor in run.model.state_dict().items()}
        return {f"validation_{run.task.metric}": score}

    def finalize(self, run: Training) -> None:
        if self.weights:
            run.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Tensor]:
        return {"score": torch.tensor(self.score), **{f"best/{n}": t for n, t in self.weights.items()}}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.score = state["score"].item()
        self.weights = {
            name.removeprefix("best/"): tensor for name, tensor in state.items() if name.startswith("best/")
        }
