"""Training with and without a technique, each thing once, and what is measured of it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from edgekit.data import Dataset
from edgekit.data.dataset import resize_images
from edgekit.models import ModelSpec
from edgekit.training import Checkpoint, Recipe, fit_spec, train
from edgekit.training.checkpoint import CHECKPOINT_FILE
from edgekit.training.state import STATE_FILE
from edgekit.training.techniques.grafting import entropy

Change = Callable[[np.ndarray], np.ndarray]
_WEAK = 0.5  # of its layer's median norm


@dataclass(frozen=True)
class Bench:
    """Trains on ``dataset`` with every seed, below ``folder``, where what is finished is kept."""

    dataset: Dataset
    recipe: Recipe
    seeds: int
    folder: Path

    def fit(
        self,
        name: str,
        seed: int,
        use: dict[str, Any] | None = None,
        epochs: int | None = None,
        **network: Any,
    ) -> Checkpoint:
        """Return the checkpoint of a network trained with techniques."""
        spec = fit_spec(ModelSpec("resnet20", **{"width": 0.5, **network}), self.dataset)
        place = self.folder / f"{name}-{seed}"
        begun = (place / STATE_FILE).exists() or (place / CHECKPOINT_FILE).exists()
        recipe = replace(self.recipe, seed=seed, use=use or {}, epochs=epochs or self.recipe.epochs)
        return train(spec, self.dataset, recipe, place, resume=begun, progress=False)

    def pairs(
        self, name: str, use: dict[str, Any] | None = None, **network: Any
    ) -> Iterator[tuple[Checkpoint, Checkpoint]]:
        """Yield the plain checkpoint and the one with a technique, of every seed."""
        for seed in range(self.seeds):
            yield self.fit("plain", seed), self.fit(name, seed, use, **network)

    def test_inputs(self, change: Change | None = None, count: int | None = None) -> torch.Tensor:
        """Return the first test images as inputs, after ``change`` has changed their pixels."""
        split = self.dataset.test
        return torch.from_numpy(split.batch(np.arange(count or len(split))[: len(split)], change)[0])

    def accuracy(self, checkpoint: Checkpoint, change: Change | None = None) -> float:
        """Return the share of right answers in %."""
        with torch.inference_mode():
            found = checkpoint.build()(self.test_inputs(change)).argmax(1).numpy()
        return 100 * float((found == self.dataset.test.labels).mean())


def row(
    method: str,
    figure: str,
    values: Sequence[tuple[float, float]],
    asked: str = "",
    holds: Callable[[float, float], bool] | None = None,
    *,
    effect: bool = False,
) -> dict[str, Any]:
    """Return a row of the table.

    Args:
        values: without and with the method, for each seed.
        asked: what must hold, in words; ``holds`` judges the means. Without it the row is reported.
        effect: the means must also differ by more than twice the deviation of the seeds' differences.
    """
    without, with_it = (statistics.mean(side) for side in zip(*values, strict=True))
    differences = [b - a for a, b in values]
    sd = statistics.stdev(differences) if len(differences) > 1 else None
    held = None if holds is None else holds(without, with_it)
    if held and effect and sd is not None:
        held = abs(with_it - without) > 2 * sd
    return {
        "method": method,
        "figure": figure,
        "without": round(without, 3),
        "with": round(with_it, 3),
        "difference": round(with_it - without, 3),
        "sd": None if sd is None else round(sd, 3),
        "asked": asked or "reported",
        "holds": held,
    }


def noise_block(pixels: np.ndarray) -> np.ndarray:
    """Hide half of each side behind noise."""
    rng, changed = np.random.default_rng(1), pixels.copy()
    side = pixels.shape[1] // 2
    for image in changed:
        top, left = rng.integers(0, side + 1, 2)
        image[top : top + side, left : left + side] = rng.integers(0, 256, (side, side, 1))
    return changed


def salt_and_pepper(pixels: np.ndarray) -> np.ndarray:
    """Set a fifth of the pixels to black or white."""
    draw = np.random.default_rng(1).random((*pixels.shape[:3], 1))
    return np.where(draw < 0.1, 0, np.where(draw > 0.9, 255, pixels)).astype(np.uint8)


def enlarge(pixels: np.ndarray) -> np.ndarray:
    """Show what is inside a border of one pixel at full size."""
    return resize_images(pixels[:, 1:-1, 1:-1], pixels.shape[1])


def log_of(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """Return the lines of a training's log."""
    lines = (checkpoint.path / "metrics.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line) for line in lines]


def mean_entropy(checkpoint: Checkpoint) -> float:
    """Return the mean entropy of the convolutions' weights."""
    return statistics.mean(map(entropy, _convolutions(checkpoint)))


def weak_filters(checkpoint: Checkpoint) -> float:
    """Return the share, in %, of filters whose L1 norm is below half of their layer's median."""
    norms = [weight.abs().flatten(1).sum(1) for weight in _convolutions(checkpoint)]
    weak = sum(int((n < _WEAK * n.median()).sum()) for n in norms)
    return 100 * weak / sum(map(len, norms))


def _convolutions(checkpoint: Checkpoint) -> list[torch.Tensor]:
    return [p.detach() for p in checkpoint.build().parameters() if p.ndim == 4]
