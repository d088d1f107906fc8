"""Sweep plans: a recipe, what is varied, and the seeds; every combination is a row, a row times a seed a job.

Example:
    recipe: digits-small.yaml         # a recipe file, or its keys
    grid:                             # every combination of these
      model: [resnet20, mobilenet_v2]
      prune.macs: [50%, 25%]
    variants:                         # named changes of several keys
      one-shot: {prune: {method: one-shot}}
      sfp: {prune: {method: sfp}}
    control: {variant: one-shot}      # the row that others are compared with, all else being equal
    seeds: [0, 1, 2]
    out: results
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import msgspec

from edgekit.models import ModelSpec, pin
from edgekit.pruning import read_pruning
from edgekit.sweep.jobs import SweepJob
from edgekit.tasks import Classification
from edgekit.training.checkpoint import load_checkpoint
from edgekit.training.recipe_file import (
    IMAGENET,
    find_recipe_file,
    read_mapping,
    read_recipe,
    refuse_unknown,
)

VARIANT = "variant"


@dataclass(frozen=True)
class SweepPlan:
    """What to train.

    Attributes:
        recipe: what all jobs share: keys of a recipe file; ``{seed}`` in ``init`` stands for a job's seed.
        grid: keys, joined by dots where they are below others, with the values to combine.
        variants: named changes; they are combined with the grid, as values of ``variant``.
        control: value by key of the grid; the row that has these instead of its own is a row's control.
        seeds: of the recipe; each row is trained with all of them.
        metric: of the checkpoints, such as ``test_top1`` or ``removed_top1``; more is better. In a file the
            default is the test score of what is trained.
        workers: jobs at a time; default: one per CPU of this machine.
        ray_address: of a running Ray cluster whose nodes share this folder; default: this machine.
        out: folder for the jobs' runs and the table.

    Raises:
        ValueError: there is nothing to train, or ``control`` names no row.
    """

    recipe: dict[str, Any]
    out: str
    grid: dict[str, list[Any]] = field(default_factory=dict)
    variants: dict[str, dict[str, Any]] = field(default_factory=dict)
    control: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    metric: str = "test_top1"
    workers: int | None = None
    ray_address: str | None = None

    def __post_init__(self) -> None:
        axes = self._axes()
        if not self.seeds or len(set(self.seeds)) != len(self.seeds) or not all(axes.values()):
            raise ValueError(f"seeds {list(self.seeds)} and every list of the grid need values, each once")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers is {self.workers}; it must be at least 1")
        for key, value in self.control.items():
            if value not in axes.get(key, []):
                known = ", ".join(str(one) for one in axes.get(key, axes))
                raise ValueError(f"control has {key}: {value!r}, which no row has; choose from {known}")

    def jobs(self) -> list[SweepJob]:
        """Return all jobs, row after row.

        Raises:
            ValueError: a row is no recipe.
            CheckpointError: there is no checkpoint to start from.
        """
        axes = self._axes()
        rows = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
        return [self._job(row, seed) for row in rows for seed in self.seeds]

    def control_of(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the row that ``row`` is compared with; ``None``: it is a control itself."""
        changed = {**row, **self.control}
        return None if changed == row else changed

    def _axes(self) -> dict[str, list[Any]]:
        return self.grid | ({VARIANT: list(self.variants)} if self.variants else {})

    def _job(self, row: dict[str, Any], seed: int) -> SweepJob:
        recipe = _with(self.recipe, {"seed": seed})
        for key, value in row.items():
            change: Any = self.variants[value] if key == VARIANT and self.variants else value
            if key != VARIANT or not self.variants:
                for part in reversed(key.split(".")):
                    change = {part: change}
            recipe = _with(recipe, change)
        where = "row " + (", ".join(f"{key} {value}" for key, value in row.items()) or "without changes")
        file = read_recipe(recipe, where)
        if file.prune:
            read_pruning(file.prune, where)
        spec = pin(ModelSpec(file.model, **file.named.model))
        if spec.is_own:  # another file is another job
            recipe = _with(recipe, {"model": spec.name, "file_sha256": spec.file_sha256})
        if file.init is None or file.init == IMAGENET:
            return SweepJob(row, seed, recipe)
        recipe["init"] = file.init.replace("{seed}", str(seed))
        return SweepJob(row, seed, recipe, load_checkpoint(recipe["init"]).sha256)


def load_sweep(path: str | Path) -> SweepPlan:
    """Read a plan; ``recipe`` and ``out`` are found from the folder of the plan.

    Raises:
        DataError: there is no such file, or it is no YAML.
        ValueError: a key or a value means nothing.
    """
    place = Path(path)
    raw = read_mapping(place, "give a sweep plan")
    refuse_unknown(raw, [item.name for item in fields(SweepPlan)], str(path))
    if isinstance(raw.get("recipe"), str):
        beside = place.parent / raw["recipe"]
        raw["recipe"] = read_mapping(beside if beside.exists() else find_recipe_file(raw["recipe"]))
    raw["out"] = str(place.parent / str(raw.get("out", f"{place.stem}-results")))
    try:
        plan = msgspec.convert(raw, SweepPlan)
    except msgspec.ValidationError as err:
        raise ValueError(f"{path}: {err}") from err
    metrics = {_metric(job) for job in plan.jobs()}
    if "metric" in raw:
        return plan
    if len(metrics) > 1:
        named = ", ".join(sorted(metrics))
        raise ValueError(f"{path}: its tasks' scores ({named}) do not compare; give each a plan of its own")
    return replace(plan, metric=f"test_{metrics.pop()}")


def _metric(job: SweepJob) -> str:
    file = read_recipe(job.recipe, "job")
    if file.task is None and file.prune and job.start_sha256 is not None:
        return load_checkpoint(job.recipe["init"]).make_task().metric
    return (file.task or Classification()).metric


def _with(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``change``; mappings below the same key are joined in the same way."""
    joined = dict(base)
    for key, value in change.items():
        below = joined.get(key)
        joined[key] = _with(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return joined
