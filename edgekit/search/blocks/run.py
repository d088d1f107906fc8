"""The search: stage by stage on more classes, with fewer candidates, and one network at the end.

DA-NAS-style, after Dai et al., "DA-NAS: Data Adapted Pruning for Efficient Neural Architecture Search",
ECCV 2020, https://arxiv.org/abs/2003.12563: blocks are trimmed on easy classes first, then on more and
more. Authors published no code, so that all but this idea is ours: classes are ordered by a supernet
after its first epochs (the paper's by a trained net); blocks, stages, rules and constants are those
of ``SearchPlan``, ``BlockLearning`` and ``kept_candidates``; the last choice is the likeliest network
within the budget, not the likeliest block of each place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import nn

from edgekit.data import Dataset, Split, limit_training
from edgekit.data.dataset import stratified_split
from edgekit.data.limit import balanced
from edgekit.models import ModelSpec, build_model
from edgekit.pruning.latency_limit import parse_latency
from edgekit.search.blocks.classes import check_images, easiest_first, first_share, part_of
from edgekit.search.blocks.costs import BlockCosts, best_choices, measure_costs
from edgekit.search.blocks.learning import BlockLearning, SomeClasses, kept_candidates
from edgekit.search.blocks.plan import SearchPlan, check_recipe
from edgekit.search.blocks.result import (
    COSTS_FILE,
    SEARCH_FILE,
    SearchResult,
    StageReport,
    load_costs,
    load_result,
    save_costs,
    save_result,
)
from edgekit.search.blocks.space import Space, space_of
from edgekit.search.blocks.supernet import build_supernet, places_of
from edgekit.search.blocks.timing import Timing
from edgekit.tasks import Classification
from edgekit.training import Recipe, Trainer, fit_spec
from edgekit.training.state import STATE_FILE, check_identity
from runtime.errors import CheckpointError


def search(
    spec: ModelSpec,
    dataset: Dataset,
    recipe: Recipe,
    out: str | Path,
    *,
    latency: str,
    timing: Timing,
    plan: SearchPlan | None = None,
    resume: bool = False,
    data_root: str | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> SearchResult:
    """Find the blocks of ``spec`` that are most accurate on ``dataset`` within a latency.

    The folder ``out`` gets ``search.json``, the result, and ``found.yaml``, a recipe file that trains
    the network that was found. The test images decide nothing.

    Args:
        spec: a MobileNet or EfficientNet that fits ``dataset`` (see ``fit_spec``).
        recipe: how the weights are trained; ``epochs`` are those of all stages.
        latency: the budget, as ``parse_latency`` takes it.
        timing: what ops take on the target.
        plan: constants of the search.
        resume: go on with a search in ``out`` that was interrupted; a finished one is returned as it is.
        data_root: of the dataset, for the recipe file.
        progress: called with each step.

    Raises:
        ValueError: the blocks of ``spec`` cannot be chosen, ``spec`` does not fit ``dataset``, or no network
            of the space is within the budget.
        CheckpointError: ``out`` holds a search already, or the one to resume is another.
        DataError: a class has too few images.
        TrainingError: the loss is not a number any more.

    Example:
        >>> found = search(spec, digits, SEARCH_RECIPE, "runs/search",      # doctest: +SKIP
        ...     latency="60%", timing=timing_on("virtual:sdm845"))
        >>> train(found.spec, digits, Recipe(), "runs/found")                   # doctest: +SKIP
    """
    began_s, folder, plan = time.monotonic(), Path(out), plan or SearchPlan()
    check_recipe(recipe)
    budget = parse_latency(latency)
    if fit_spec(spec, dataset) != spec:
        raise ValueError(f"{spec} does not fit dataset {dataset.name!r}; use {fit_spec(spec, dataset)}")
    space, epochs = space_of(spec, plan.candidates), plan.epochs(recipe.epochs)
    asked = {"latency": latency, "target": timing.target, "setting": timing.setting}
    what = {"dataset": dataset.name, **asdict(spec), **recipe.identity(), "plan": plan, **asked}
    identity = msgspec.json.decode(msgspec.json.encode(what))  # as it is read back
    if (folder / SEARCH_FILE).is_file() and resume:
        finished = load_result(folder)
        check_identity(folder, finished.run, identity)
        return finished
    costs = _costs_in(folder, space, timing, resume, progress)
    limit_ms = budget.get("ms", costs.own_ms * budget.get("share", 0.0))
    best_choices([dict.fromkeys(names, 0.0) for names in space.candidates], costs, limit_ms)  # can be met
    dataset = limit_training(Classification().view(dataset), recipe.limit, recipe.seed)
    check_images(dataset, plan.validation, recipe.seed)
    learn, judge = stratified_split(dataset.train.labels, plan.validation, recipe.seed)
    torch.manual_seed(recipe.seed)
    stages = _Stages(
        replace(dataset, train=dataset.train.part(learn)),
        dataset.train.part(judge),
        replace(recipe, limit=0),
        plan,
        costs,
        limit_ms,
        folder,
        identity,
        build_supernet(space),
    )
    reports = [stages.run(number, count, progress) for number, count in enumerate(epochs)]
    found = space.spec_of(stages.best())
    with torch.random.fork_rng(devices=[]):
        network = build_model(found)
    example = torch.zeros(1, spec.in_channels, spec.image_size, spec.image_size)
    full = sum(report.block_images * len(learn) / report.images for report in reports)
    result = SearchResult(
        spec=found,
        latency_ms=timing.latency_ms(network, example),
        own_ms=costs.own_ms,
        budget_ms=limit_ms,
        target=timing.target,
        setting=str(timing.setting),
        provenance=timing.provenance,
        places=tuple(dict(place) for place in costs.places),
        probabilities=tuple(place.probabilities() for place in places_of(stages.model)),
        stages=tuple(reports),
        block_images=sum(report.block_images for report in reports) + stages.ordering,
        full_block_images=round(full),
        duration_s=round(time.monotonic() - began_s, 1),
        run=identity,
    )
    save_result(result, folder, dataset, recipe, data_root)
    for state in folder.glob(f"*/{STATE_FILE}"):
        state.unlink()
    return result


def _costs_in(
    folder: Path, space: Space, timing: Timing, resume: bool, progress: Callable[[str], None]
) -> BlockCosts:
    """Return the costs of a search that is resumed, or predict them for a new one in ``folder``."""
    is_begun = (folder / COSTS_FILE).is_file()
    if resume and is_begun:
        return load_costs(folder)
    if is_begun or (folder / SEARCH_FILE).exists():
        raise CheckpointError(
            f"{folder} holds a search already; pass --resume to go on, or choose another --out"
        )
    folder.mkdir(parents=True, exist_ok=True)
    costs = measure_costs(space, timing, progress)
    save_costs(costs, folder)
    return costs


@dataclass
class _Stages:
    """The stages of one search, run in their order."""

    dataset: Dataset
    judge: Split
    recipe: Recipe
    plan: SearchPlan
    costs: BlockCosts
    limit_ms: float
    folder: Path
    identity: dict[str, Any]
    model: nn.Module
    order: tuple[int, ...] = ()
    ordering: int = 0  # forward passes that it took to order the classes

    def run(self, number: int, epochs: int, progress: Callable[[str], None]) -> StageReport:
        """Train for a stage, or take up what is behind it; trim, and return what it came to."""
        classes, part = self._images(number)
        names = tuple(self.dataset.labels[label] for label in classes)
        judge = part_of(self.judge, classes)
        progress(f"stage {number}: {len(names)} classes, {len(part)} images, {epochs} epochs")
        recipe = replace(self.recipe, epochs=epochs, eval_every=epochs)
        recipe = replace(recipe, warmup_epochs=0 if number else min(1, recipe.warmup_epochs))
        hook = BlockLearning(
            judge,
            self.costs,
            self.limit_ms,
            every=self.plan.every if number else 0,
            lr=self.plan.lr,
            mu=self.plan.mu,
            stage=number,
        )
        task = SomeClasses(recipe.label_smoothing, classes=classes)
        trainer = Trainer(self.model, recipe, [hook], task)
        place = self.folder / f"stage{number}"
        place.mkdir(exist_ok=True)
        data = replace(self.dataset, train=part, test=judge)
        begun = (place / STATE_FILE).is_file()
        identity = {**self.identity, "stage": number}
        log = trainer.fit(data, place, identity=identity, resume=begun, progress=False)
        self.model = trainer.model
        if number:
            self._trim()
        else:
            classes_in_all = len(self.dataset.labels)
            self.order = easiest_first(self.model, self.judge, classes_in_all, self.recipe.seed)
            self.ordering = sum(place.take_count() for place in places_of(self.model))
        left = tuple(place.names for place in places_of(self.model))
        score = log[-1][f"test_{SomeClasses.metric}"]
        return StageReport(names, len(part), epochs, log[-1]["block_images"], score, left)

    def best(self) -> tuple[str, ...]:
        """Return the blocks of the likeliest network within the budget."""
        worth = [
            {name: float(np.log(p)) for name, p in place.probabilities().items()}
            for place in places_of(self.model)
        ]
        return best_choices(worth, self.costs, self.limit_ms)

    def _images(self, number: int) -> tuple[tuple[int, ...], Split]:
        """Return the classes of a stage and their images: first a share of all classes, then easy ones."""
        train, share = self.dataset.train, self.plan.shares[number]
        if number:
            classes = first_share(self.order, share)
            return classes, part_of(train, classes)
        everything = tuple(range(len(self.dataset.labels)))
        count = max(len(everything), round(share * len(train)))
        return everything, train.part(balanced(train.labels, count, self.recipe.seed))

    def _trim(self) -> None:
        places = places_of(self.model)
        kept = kept_candidates([place.probabilities() for place in places], self.best(), self.plan.tau)
        for place, names in zip(places, kept, strict=True):
            place.keep(names)
