"""What a recipe file says of pruning, and training by such a file.

Example:
    prune:
      method: increg            # its constants: options: {a: 0.001}
      macs: 50%                 # or rate, params, rates; share, scope and round-to as on the command line
      latency: 12ms             # instead; with target, engine, cluster and threads
      finetune-epochs: 10
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from edgekit.data import Dataset, load_dataset
from edgekit.models import ModelSpec
from edgekit.pruning.budget import AMOUNTS, Budget
from edgekit.pruning.how import Pruning
from edgekit.pruning.latency_limit import LatencyLimit, parse_latency
from edgekit.pruning.method import METHODS
from edgekit.pruning.run import prune, train_and_prune
from edgekit.tasks import Task
from edgekit.training.checkpoint import Checkpoint, load_checkpoint
from edgekit.training.pruned_start import check_same
from edgekit.training.recipe import Recipe
from edgekit.training.recipe_file import RecipeFile, refuse_unknown
from edgekit.training.run import fit_spec, starting_network, train
from runtime.errors import CheckpointError

_FACTORS = {"%": 0.01, "k": 1e3, "M": 1e6, "G": 1e9}
_BUDGET = {item.name for item in fields(Budget)}
_WHERE = {item.name for item in fields(LatencyLimit)} - {"ms", "share"}  # a latency is
_PRUNING = {item.name for item in fields(Pruning)} - {"budget"}


def amount_of(value: object) -> float:
    """Return a share, written 50% or 0.5, or a number, written 20M, as a number.

    Raises:
        ValueError: it is none.

    Example:
        >>> amount_of("50%"), amount_of("20M"), amount_of(0.5)
        (0.5, 20000000.0, 0.5)
    """
    text = str(value)
    try:
        amount = float(text[:-1] if text[-1:] in _FACTORS else text) * _FACTORS.get(text[-1:], 1.0)
    except ValueError:
        amount = 0.0
    if not 0 < amount < float("inf") or (text.endswith("%") and amount > 1):
        raise ValueError(f"{text!r} is no amount; write a share as 50% or 0.5, a number as 20M")
    return amount


def read_pruning(raw: Mapping[str, Any], where: str) -> Pruning:
    """Return how to prune, given as a mapping.

    Args:
        where: named in errors.

    Raises:
        ValueError: a key or a value means nothing.
    """
    values = {str(key).replace("-", "_"): value for key, value in raw.items()}
    refuse_unknown(values, _BUDGET | _WHERE | _PRUNING, f"{where}: prune")
    budget = {key: value for key, value in values.items() if key in _BUDGET}
    for key in ("rate", "macs", "params"):
        if budget.get(key) is not None:
            budget[key] = amount_of(budget[key])
    place = {key: value for key, value in values.items() if key in _WHERE}
    if budget.get("latency") is not None:
        budget["latency"] = {**parse_latency(budget["latency"]), **place}
    elif place:
        raise ValueError(f"{where}: prune: {next(iter(place))} is for a latency; add latency: 12ms")
    if not set(AMOUNTS) & budget.keys():
        budget["rate"] = 0.3
    METHODS.get(values.get("method", Pruning.method))
    chosen = {key: value for key, value in values.items() if key in _PRUNING}
    try:
        return msgspec.convert({**chosen, "budget": budget}, Pruning, strict=False)
    except msgspec.ValidationError as err:
        raise ValueError(f"{where}: prune: {err}") from err


def train_by_file(
    file: RecipeFile,
    out: str | Path,
    *,
    dataset: Dataset | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Checkpoint:
    """Return the checkpoint, in the folder ``out``, of what a recipe file says.

    Args:
        dataset: the one that ``file`` names, where it is loaded already.

    Others, and errors, as of ``train``, ``train_and_prune`` and ``prune``.

    Example:
        >>> train_by_file(load_recipe_file("digits-small.yaml"), "runs/small")   # doctest: +SKIP
    """
    size = file.named.model.get("image_size")
    dataset = dataset or load_dataset(file.data, root=file.data_root, image_size=size)
    spec = fit_spec(ModelSpec(file.model, **file.named.model), dataset)
    recipe, choice = file.named.recipe, {"resume": resume, "progress": progress}
    if not file.prune:
        start = None if file.init is None else starting_network(file.model, file.init)
        return train(spec, dataset, recipe, out, init=start, task=file.task, **choice)
    how = read_pruning(file.prune, file.name)
    if file.init is None:
        return train_and_prune(spec, dataset, recipe, out, how, task=file.task, **choice)
    return prune_start(file.init, spec, dataset, recipe, out, how, task=file.task, **choice)


def prune_start(
    init: str,
    spec: ModelSpec,
    dataset: Dataset,
    recipe: Recipe,
    out: str | Path,
    how: Pruning,
    *,
    task: Task | None,
    **choice: bool,
) -> Checkpoint:
    """Prune the checkpoint ``init``, which must be of ``spec`` and for ``task`` if that is given.

    Others, and errors, as of ``prune``.
    """
    checkpoint = load_checkpoint(init)
    check_same(checkpoint, checkpoint.spec, spec)
    if task not in (None, checkpoint.make_task()):
        raise CheckpointError(f"{init} is for {checkpoint.make_task()}, asked is {task}; leave the task out")
    return prune(checkpoint, dataset, out, how, recipe=recipe, **choice)
