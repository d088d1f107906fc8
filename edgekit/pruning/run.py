"""Prune: train with a method, remove what it chose, fine-tune, measure before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import nn

from edgekit.data import Dataset, limit_training
from edgekit.models import ModelSpec
from edgekit.models.surgery.kernels import shrink_kernels
from edgekit.models.surgery.plan import compose_plans
from edgekit.models.surgery.removal import physically_remove
from edgekit.pruning.how import Pruning
from edgekit.pruning.latency_run import search_for_run
from edgekit.pruning.method import METHODS, make_method
from edgekit.pruning.prunable import prunable_groups
from edgekit.pruning.report import PruningReport, costs, disagreements, told
from edgekit.pruning.start import Start, from_checkpoint, from_spec, gentler, recipe_of
from edgekit.tasks import Task
from edgekit.training.batch_norm import reestimate_batch_norm
from edgekit.training.checkpoint import CHECKPOINT_FILE, Checkpoint, save_checkpoint
from edgekit.training.evaluation import evaluate
from edgekit.training.hooks import EndAtOnce, Hook
from edgekit.training.precision import settle_precision
from edgekit.training.recipe import Recipe
from edgekit.training.run import claim_folder, end_run, own_hooks, save_once
from edgekit.training.state import STATE_FILE
from edgekit.training.technique import Technique, make_techniques, with_teacher
from edgekit.training.trainer import Trainer
from runtime.errors import PruneError

PHASES = ("method", "finetune")
DENSE = "dense"
_EXAMPLES = 8


def prune(
    checkpoint: Checkpoint,
    dataset: Dataset,
    out: str | Path,
    pruning: Pruning | None = None,
    *,
    recipe: Recipe | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Checkpoint:
    """Return a checkpoint in the folder ``out`` with channels of ``checkpoint`` removed.

    Args:
        pruning: how; default: ``psfp`` at a rate of 0.3.
        recipe: how to train; default: the checkpoint's, at half its learning rate.
        resume: continue an interrupted run in ``out``; a finished one is returned as it is.

    Raises:
        ValueError: unknown method or option, or a number out of range.
        CheckpointError: the checkpoint is damaged, not of this dataset, or ``out`` holds another run.
        PruneError: nothing can be removed, or the budget cannot be met.

    Example:
        >>> how = Pruning("psfp", Budget(macs=0.5))                                       # doctest: +SKIP
        >>> pruned = prune(load_checkpoint("runs/digits"), digits, "runs/pruned", how)    # doctest: +SKIP
        >>> pruned.pruning["after"]["macs"]                                               # doctest: +SKIP
        2135000
    """
    how = pruning or Pruning()
    METHODS.get(how.method)
    start = from_checkpoint(checkpoint, dataset)
    base = recipe or recipe_of(checkpoint)
    from_random = METHODS.get(how.method).from_random
    recipes = [base, base] if from_random or recipe else [gentler(base)] * 2
    recipes[1] = _taught(recipes[1], how.teacher)
    recipes = [with_dense_teacher(recipe, str(checkpoint.path)) for recipe in recipes]
    return _run(start, dataset, Path(out), how, base, recipes, resume=resume, progress=progress)


def train_and_prune(
    spec: ModelSpec,
    dataset: Dataset,
    recipe: Recipe,
    out: str | Path,
    pruning: Pruning | None = None,
    *,
    task: Task | None = None,
    placement: dict[str, Any] | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Checkpoint:
    """Return a checkpoint in the folder ``out``: ``spec`` trained with a pruning method, cut and fine-tuned.

    Args and errors as of ``prune``; the method acts for all epochs of ``recipe`` unless ``pruning`` says
    how many.
    """
    how = pruning or Pruning()
    if how.epochs is None and not METHODS.get(how.method).from_random:
        how = replace(how, epochs=recipe.epochs)
    start = from_spec(spec, dataset, recipe, placement, task)
    recipes = [recipe, recipe if METHODS.get(how.method).from_random else gentler(recipe)]
    recipes[1] = _taught(recipes[1], how.teacher)
    recipes = [with_dense_teacher(recipe, None) for recipe in recipes]
    return _run(start, dataset, Path(out), how, recipe, recipes, resume=resume, progress=progress)


def _run(
    start: Start,
    dataset: Dataset,
    folder: Path,
    how: Pruning,
    base: Recipe,
    recipes: Sequence[Recipe],
    *,
    resume: bool,
    progress: bool,
) -> Checkpoint:
    dataset = limit_training(start.task.view(dataset), base.limit, base.seed)
    choice = {"resume": resume, "progress": progress}
    precision = settle_precision(recipes[0], start.load, dataset, folder, **choice).precision
    recipes = [replace(recipe, precision=precision) for recipe in recipes]
    examples = torch.from_numpy(dataset.test.batch(np.arange(min(_EXAMPLES, len(dataset.test))))[0])
    kind = METHODS.get(how.method)
    epochs = how.epochs_of(kind, base)
    how = replace(how, budget=replace(how.budget, share=how.budget.share or kind.share))
    identity = {
        **start.identity,
        **how.identity(),
        "precision": precision,
        "method_epochs": epochs[0],
        "finetune_epochs": epochs[1],
        "recipes": [recipe.identity() for recipe in recipes],
    }
    identity = msgspec.json.decode(msgspec.json.encode(identity))
    if resume and (folder / CHECKPOINT_FILE).is_file():
        return end_run(folder, identity)
    techniques = [_techniques(recipe, dataset) for recipe in recipes]
    for technique in techniques[0]:
        technique.keep_last_epoch()
    model = start.load()
    groups, left_out = prunable_groups(model, how.budget.scope, examples, start.spec.label)
    latency = None
    if how.budget.latency is not None:
        latency = search_for_run(how, model, examples, dataset, base, start, progress=progress)
        if resume:
            latency.take_from(folder)
    allocation = latency or how.budget.allocation(model, examples[:1])
    method = make_method(how.method, groups, allocation, how.options)
    method.decide(model)
    if not method.counts:
        raise PruneError(
            f"rate {how.budget.rate} removes no channel of {start.spec.label}, whose layers keep multiples "
            f"of {how.budget.round_to}; raise the rate or lower round_to"
        )
    for place in (folder, *(folder / phase for phase in PHASES)):
        claim_folder(place, resume)
    if latency is not None:
        latency.keep_in(folder)

    def fit(network: nn.Module, phase: int, hooks: Sequence[Hook]) -> Trainer:
        """Train ``network``, continuing where a run stopped; leave it on the CPU in eval mode."""
        at = folder / PHASES[phase]
        recipe = replace(recipes[phase], epochs=max(1, epochs[phase]))
        once = [] if epochs[phase] else [EndAtOnce()]
        every = [*own_hooks(recipe), *hooks, *once]
        trainer = Trainer(network, recipe, every, start.task, techniques[phase])
        started = resume and (at / STATE_FILE).is_file()
        trainer.fit(dataset, at, identity=identity, resume=started, progress=progress)
        trainer.model.cpu().eval()
        return trainer

    def untrained() -> nn.Module:
        return start.untrained(base.seed, examples)

    from_random = method.from_random
    trained = fit(untrained() if from_random else start.load(), 0, [method])
    dense = start.load().eval() if start.checkpoint else trained.model
    compact = physically_remove(untrained() if from_random else trained.model, method.plan, examples)
    shrink_kernels(compact, method.kernels, exact=not from_random)
    removed_score = evaluate(compact, dataset.test, task=start.task)
    reestimated_score = None
    if how.reestimate and reestimate_batch_norm(compact, dataset.train, seed=base.seed):
        reestimated_score = evaluate(compact, dataset.test, task=start.task)
    trainer = fit(compact.train(), 1, [])

    untrained_before: tuple[str, ...] = ()
    if from_random and start.checkpoint is None:
        untrained_before = (
            "the accuracy before is that of random weights: the whole network was not trained",
        )

    def save() -> None:
        before, after = costs([dense, trainer.model], start.task, dataset, examples[:1])
        removed = {name: len(indices) for name, indices in method.plan.items()}
        met = None if latency is None else latency.result(removed)
        report = PruningReport(
            method=how.method,
            options=dict(how.options),
            budget=how.budget.identity(),
            epochs=epochs[0],
            finetune_epochs=epochs[1],
            source_sha256=start.checkpoint.sha256 if start.checkpoint else None,
            removed=removed,
            kernels=method.kernels,
            left_out=left_out,
            before=before,
            after=after,
            removed_score=removed_score,
            reestimated_score=reestimated_score,
            constants=method.report(),
            latency=met,
            warnings=(
                *(disagreements(before, after) if met is None else met.warnings),
                *method.warnings(),
                *told(left_out),
                *untrained_before,
            ),
        )
        save_checkpoint(
            folder,
            trainer.model,
            spec=start.spec,
            dataset=dataset.name,
            image=dataset.image,
            labels=tuple(dataset.labels),
            recipe=start.recipe,
            task=start.task,
            metrics={f"test_{start.task.metric}": after.test_score},
            plan=compose_plans(start.plan, method.plan),
            kernels={**start.kernels, **method.kernels} or None,
            pruning=report.to_dict(start.task.metric),
            placement=start.placement,
            run=identity,
        )

    return save_once(trainer, folder, save)


def with_dense_teacher(recipe: Recipe, checkpoint: str | None) -> Recipe:
    """Return ``recipe`` in which techniques whose teacher is ``dense`` have ``checkpoint``, which is pruned.

    Raises:
        ValueError: one has, and there is no checkpoint.
    """
    taught = [name for name, options in recipe.use.items() if options.get("teacher") == DENSE]
    if taught and checkpoint is None:
        raise ValueError(
            "teacher 'dense' is the checkpoint that is pruned, and there is none; give one to start from, or "
            "the teacher's folder"
        )
    return replace(recipe, use=recipe.use | {n: {**recipe.use[n], "teacher": checkpoint} for n in taught})


def _taught(recipe: Recipe, teacher: str | None) -> Recipe:
    return recipe if teacher is None else replace(recipe, use=with_teacher(recipe.use, teacher))


def _techniques(recipe: Recipe, dataset: Dataset) -> list[Technique]:
    found = make_techniques(recipe, dataset)
    for technique in found:
        if type(technique).network is not Technique.network:
            raise ValueError(
                f"{type(technique).__name__} trains several networks, which cannot be pruned meanwhile; "
                "train with it first, then prune its checkpoint"
            )
    return found
