"""bfloat16 where it makes training quicker: found by a paired trial before the training starts."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from edgekit.data import Dataset
from edgekit.training.checkpoint import CHECKPOINT_FILE, load_checkpoint
from edgekit.training.layout import lay_out, use_fastest_layout
from edgekit.training.optimizer import trained_parameters
from edgekit.training.recipe import Recipe
from edgekit.training.state import STATE_FILE, load_state

FLOAT32, BFLOAT16 = "32-true", "bf16-mixed"
_TURNS = 4  # after one to warm up
_WORTH = 0.95  # a gain of less is within what a trial scatters by
_BATCH = 64


def settle_precision(
    recipe: Recipe,
    build: Callable[[], nn.Module],
    dataset: Dataset,
    folder: Path,
    *,
    resume: bool = False,
    progress: bool = False,
) -> Recipe:
    """Return ``recipe`` with its precision decided, if that is ``auto``.

    A run that is resumed goes on with what was decided for it. The choice is part of the recipe, so of
    the checkpoint and of what the run is.

    Raises:
        ValueError: several processes, which could come to different choices.
    """
    if recipe.precision != "auto":
        return recipe
    if recipe.devices > 1:
        raise ValueError(
            f"precision is 'auto' for {recipe.devices} processes; choose {FLOAT32} or {BFLOAT16}"
        )
    decided = _decided(folder) if resume else None
    if decided is None:
        is_tried = not recipe.qat and dataset.image is not None and _has_bfloat16(recipe)
        share = time_share(build, recipe, dataset) if is_tried else None
        decided = BFLOAT16 if share is not None and share < _WORTH else FLOAT32
        if progress:
            why = "" if share is None else f": a step in bfloat16 takes {share:.0%} of one in float32"
            tqdm.write(f"precision {decided}{why}", file=sys.stderr)
    return replace(recipe, precision=decided)


def time_share(build: Callable[[], nn.Module], recipe: Recipe, dataset: Dataset) -> float:
    """Return the time of a bfloat16 step by that of a float32 step: medians of steps that take turns."""
    device = _device(recipe)
    with torch.random.fork_rng():
        model = build().to(device).train()
        trained_parameters(model)  # a step of a network without any fails
        count = min(_BATCH, recipe.batch_size, len(dataset.train))
        inputs = torch.from_numpy(dataset.train.batch(range(count))[0]).to(device)
        inputs = lay_out(inputs, use_fastest_layout(model, inputs))
        times: dict[bool, list[float]] = {False: [], True: []}
        for turn in range(1 + _TURNS):
            for bfloat16 in (turn % 2 == 0, turn % 2 == 1):
                duration_s = _step_s(model, inputs, bfloat16)
                times[bfloat16] += [duration_s] if turn else []
    return statistics.median(times[True]) / statistics.median(times[False])


def _step_s(model: nn.Module, inputs: torch.Tensor, bfloat16: bool) -> float:
    begin = time.perf_counter()
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=bfloat16):
        loss = model(inputs).float().square().mean()
    loss.backward()
    loss.item()
    return time.perf_counter() - begin


def _device(recipe: Recipe) -> torch.device:
    cuda = recipe.device == "cuda" or (recipe.device == "auto" and torch.cuda.is_available())
    return torch.device("cuda" if cuda else "cpu")


def _has_bfloat16(recipe: Recipe) -> bool:
    """Return whether the device computes in bfloat16; others only imitate it."""
    if _device(recipe).type == "cuda":
        return torch.cuda.is_bf16_supported()
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def _decided(folder: Path) -> str | None:
    """Return the precision of the run in ``folder``, if there is one."""
    if (folder / CHECKPOINT_FILE).is_file():
        return (load_checkpoint(folder).run or {}).get("precision")
    states = [place for place in (folder, *sorted(folder.glob("*"))) if (place / STATE_FILE).is_file()]
    return load_state(states[0]).identity.get("precision") if states else None
