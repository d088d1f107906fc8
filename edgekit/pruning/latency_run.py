"""The search for a latency, for a run that trains and prunes."""

from __future__ import annotations

import copy
import sys

import torch
from torch import nn
from tqdm import tqdm

from edgekit.data import Dataset
from edgekit.pruning.how import Pruning
from edgekit.pruning.latency_search import LatencySearch
from edgekit.pruning.method import METHODS
from edgekit.pruning.start import Start
from edgekit.training.batch_norm import reestimate_batch_norm
from edgekit.training.recipe import Recipe

_SETTLING = 256  # images


def search_for_run(
    how: Pruning,
    model: nn.Module,
    examples: torch.Tensor,
    dataset: Dataset,
    recipe: Recipe,
    start: Start,
    *,
    progress: bool,
) -> LatencySearch:
    """Return the search for the latency that is asked for.

    Raises:
        ValueError: several processes, which would come to different widths.
    """
    if recipe.devices > 1:
        raise ValueError(
            f"the budget is a latency and the processes are {recipe.devices}; choose one process, or MACs"
        )
    kind = METHODS.get(how.method)
    net = copy.deepcopy(model)
    if start.checkpoint is None:
        # Maps of random weights may fade to denormal numbers, which are slow.
        reestimate_batch_norm(net, dataset.train, images=_SETTLING)
    return LatencySearch(
        how.budget,
        net,
        examples[:2],
        waits=kind.decides_at_end and how.budget.share == "global",
        progress=(lambda line: tqdm.write(line, file=sys.stderr)) if progress else (lambda line: None),
    )
