"""PatchShuffle of feature maps: pixels of a convolution's outputs change places, map by map.

Paper: Kang et al., "PatchShuffle Regularization", https://arxiv.org/abs/1707.07103, which shuffles
images, feature maps or both. Every map of every image has a draw of its own. Ours differs: only maps of
convolutions wider than one pixel are shuffled, as they alone see their inputs' places.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from edgekit.training.hooks import Hook, Training

_STREAM = 7  # apart from the numbers that other hooks draw in the same step


class ShuffleMaps(Hook):
    """Shuffles the patches of some maps while the network trains.

    Args:
        probability: of a map to be shuffled.
        side: of a patch.
    """

    def __init__(self, probability: float, side: int):
        self.probability, self.side = probability, side
        self._random: torch.Generator | None = None
        self._handles: list[Any] = []

    def prepare(self, model: nn.Module) -> None:
        def shuffle(layer: nn.Module, _: object, maps: Tensor) -> Tensor:
            # A function and no method: a copy of the network shuffles as this one says.
            if self._random is None or not layer.training:
                return maps
            return shuffle_maps(maps, self.probability, self.side, self._random)

        for layer in model.modules():
            if isinstance(layer, nn.Conv2d) and max(layer.kernel_size) > 1:
                self._handles.append(layer.register_forward_hook(shuffle))

    def on_step_begin(self, run: Training) -> None:
        seed = (run.recipe.seed * 1_000_003 + run.step) * 8 + _STREAM
        self._random = torch.Generator().manual_seed(seed % 2**63)

    def finalize(self, run: Training) -> None:
        self._random = None
        for handle in self._handles:
            handle.remove()


def shuffle_maps(maps: Tensor, probability: float, side: int, random: torch.Generator) -> Tensor:
    """Return ``maps``, shape (B, C, H, W), some with each patch of ``side`` x ``side`` pixels permuted.

    What is left at the right and below, where ``side`` does not divide the map, stays.
    """
    height, width = (length // side * side for length in maps.shape[2:])
    chosen = torch.rand(maps.shape[:2], generator=random) < probability
    if not (height and width and chosen.any()):
        return maps
    whole = maps[chosen.to(maps.device)]  # (M, H, W)
    count, rows, columns = len(whole), height // side, width // side
    patches = whole[:, :height, :width].reshape(count, rows, side, columns, side).transpose(2, 3)
    patches = patches.reshape(count, rows, columns, side * side)
    order = torch.rand(patches.shape, generator=random).argsort(-1).to(maps.device)
    moved = patches.gather(-1, order).reshape(count, rows, columns, side, side).transpose(2, 3)
    shuffled = whole.clone()
    shuffled[:, :height, :width] = moved.reshape(count, height, width)
    result = maps.clone()
    result[chosen.to(maps.device)] = shuffled
    return result
