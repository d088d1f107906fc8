"""Prune a checkpoint: train with a method, remove what it chose, fine-tune, measure before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import nn

from edgekit.data import Dataset
from edgekit.models import count_macs, count_parameters
from edgekit.models.surgery.groups import ChannelGraph
from edgekit.models.surgery.plan import compose_plans, removable_channels
from edgekit.models.surgery.removal import physically_remove
from edgekit.pruning.latency import paired_latencies_ms
from edgekit.pruning.one_shot import OneShotPruning
from edgekit.pruning.psfp import ProgressiveSoftFilterPruning
from edgekit.pruning.sfp import SoftFilterPruning
from edgekit.training.checkpoint import (
    CHECKPOINT_FILE,
    Checkpoint,
    save_checkpoint,
)
from edgekit.training.hooks import Hook
from edgekit.training.recipe import Recipe
from edgekit.training.run import claim_folder, end_run, save_once
from edgekit.training.state import STATE_FILE
from edgekit.training.trainer import Trainer, evaluate
from runtime.bundle.decoding import why
from runtime.errors import CheckpointError, PruneError
from runtime.registry import Registry

METHODS: Registry[Callable[..., OneShotPruning]] = Registry("pruning method")
METHODS.register("one-shot")(OneShotPruning)
METHODS.register("sfp")(SoftFilterPruning)
METHODS.register("psfp")(ProgressiveSoftFilterPruning)
METHODS.register("asfp")(ProgressiveSoftFilterPruning)  # the paper's name for it

PHASES = ("soft", "finetune")
_EXAMPLES = 8
_DISAGREEMENT = 1.5


@dataclass(frozen=True)
class Cost:
    """Multiply-accumulates, parameters, measured eager latency on one CPU thread, and accuracy."""

    macs: int
    params: int
    latency_ms: float
    test_top1: float


@dataclass(frozen=True)
class PruningReport:
    """What a pruning did; stored in the checkpoint.

    Attributes:
        removed_top1: accuracy right after the removal, before fine-tuning.
        warnings: what to know before believing in a speed-up.
    """

    method: str
    rate: float
    round_to: int
    epochs: int
    finetune_epochs: int
    source_sha256: str
    before: Cost
    after: Cost
    removed_top1: float
    warnings: tuple[str, ...] = ()


def prune(
    checkpoint: Checkpoint,
    dataset: Dataset,
    out: str | Path,
    *,
    method: str = "psfp",
    rate: float = 0.3,
    epochs: int | None = None,
    finetune_epochs: int | None = None,
    recipe: Recipe | None = None,
    round_to: int = 8,
    resume: bool = False,
    progress: bool = True,
) -> Checkpoint:
    """Return a checkpoint in the folder ``out`` with ``rate`` of the channels inside its blocks removed.

    Args:
        method: ``psfp`` (also called ``asfp``), ``sfp`` or ``one-shot``.
        rate: share of channels; what is kept is rounded up to a multiple of ``round_to``.
        epochs: of training with the method; default: half of the checkpoint's own.
        finetune_epochs: of the compact network; default: half of the checkpoint's own.
        recipe: how to train in both phases; default: the checkpoint's, at half its learning rate.
        resume: continue an interrupted run in ``out``; a finished one is returned as it is.

    Raises:
        ValueError: unknown method, or a number out of range.
        CheckpointError: the checkpoint is damaged, not of this dataset, or ``out`` holds a run already.
        PruneError: nothing can be removed at this rate, or the compact network is not the masked one.

    Example:
        >>> pruned = prune(load_checkpoint("runs/digits"), digits, "runs/pruned", rate=0.3)  # doctest: +SKIP
        >>> pruned.pruning["after"]["macs"]                                                  # doctest: +SKIP
        2135000
    """
    make_hook = METHODS.get(method)
    trained_on = (checkpoint.dataset, checkpoint.image.size, len(checkpoint.labels))
    given = (dataset.name, dataset.image.size, len(dataset.labels))
    if trained_on != given or checkpoint.labels != tuple(dataset.labels):
        raise CheckpointError(
            "{} was trained on {!r} of {} pixels and {} classes".format(checkpoint.path, *trained_on)
            + ", got {!r} of {} pixels and {}; prune it with the same data".format(*given)
        )
    base = recipe or _default_recipe(checkpoint)
    epochs = max(1, base.epochs // 2) if epochs is None else epochs
    finetune_epochs = max(1, base.epochs // 2) if finetune_epochs is None else finetune_epochs
    soft, finetune = (replace(base, epochs=n, temperature_epochs=0) for n in (epochs, finetune_epochs))
    examples = torch.from_numpy(dataset.test.batch(np.arange(min(_EXAMPLES, len(dataset.test))))[0])
    original = checkpoint.build()
    convs = ChannelGraph(original, examples[:1]).block_internal()
    hook = make_hook(rate, convs, round_to=round_to)
    if not any(removable_channels(conv.channels, rate, round_to=round_to) for conv in convs):
        raise PruneError(
            f"rate {rate} removes no channel of {checkpoint.spec.name}, whose blocks keep multiples "
            f"of {round_to}; raise the rate or lower round_to"
        )

    folder = Path(out)
    if resume and (folder / CHECKPOINT_FILE).is_file():
        return end_run(folder)
    for place in (folder, *(folder / phase for phase in PHASES)):
        claim_folder(place, resume)

    identity = {"checkpoint": checkpoint.sha256, "method": method, "rate": rate, "round_to": round_to}
    fit = partial(_fit, dataset=dataset, identity=identity, resume=resume, progress=progress)
    trained = fit(checkpoint.build(), soft, folder / "soft", hooks=[hook])
    compact = physically_remove(trained.model, hook.plan, examples)
    removed_top1 = evaluate(compact, dataset.test)
    trainer = fit(compact, finetune, folder / "finetune")

    def save() -> None:
        before, after = _costs([original, trainer.model], dataset, examples[:1])
        report = PruningReport(
            method=method,
            rate=rate,
            round_to=round_to,
            epochs=epochs,
            finetune_epochs=finetune_epochs,
            source_sha256=checkpoint.sha256,
            before=before,
            after=after,
            removed_top1=removed_top1,
            warnings=disagreements(before, after),
        )
        save_checkpoint(
            folder,
            trainer.model,
            spec=checkpoint.spec,
            dataset=dataset.name,
            image=dataset.image,
            labels=tuple(dataset.labels),
            recipe=checkpoint.recipe,
            metrics={"test_top1": after.test_top1},
            plan=compose_plans(checkpoint.plan or {}, hook.plan),
            pruning=msgspec.to_builtins(report),
            placement=checkpoint.placement,
        )

    return save_once(trainer, folder, save)


def disagreements(before: Cost, after: Cost) -> tuple[str, ...]:
    """Return a warning when latency did not follow the multiply-accumulates, within a factor of 1.5."""
    mac_ratio = after.macs / before.macs
    latency_ratio = after.latency_ms / before.latency_ms
    if max(mac_ratio / latency_ratio, latency_ratio / mac_ratio) <= _DISAGREEMENT:
        return ()
    return (
        f"MACs fell to {mac_ratio:.0%} but eager latency to {latency_ratio:.0%}; "
        "do not take one for the other: measure the exported model with edgekit bench",
    )


def _default_recipe(checkpoint: Checkpoint) -> Recipe:
    try:
        recipe = msgspec.convert(checkpoint.recipe, Recipe)
        return replace(recipe, lr=recipe.lr / 2, warmup_epochs=min(1, recipe.warmup_epochs))
    except (ValueError, OverflowError, RecursionError) as err:
        raise CheckpointError(
            f"the recipe of {checkpoint.path} does not fit ({why(err)}); copy or train the checkpoint again"
        ) from err


def _fit(
    model: nn.Module,
    recipe: Recipe,
    folder: Path,
    *,
    dataset: Dataset,
    identity: dict[str, Any],
    resume: bool,
    progress: bool,
    hooks: Sequence[Hook] = (),
) -> Trainer:
    """Train ``model``, continuing where a run in ``folder`` stopped; leave it on the CPU in eval mode."""
    trainer = Trainer(model, recipe, hooks)
    started = resume and (folder / STATE_FILE).is_file()
    known = {**identity, **recipe.identity()}
    trainer.fit(dataset, folder, identity=known, resume=started, progress=progress)
    trainer.model.cpu().eval()
    return trainer


def _costs(models: Sequence[nn.Module], dataset: Dataset, example: torch.Tensor) -> list[Cost]:
    latencies_ms = paired_latencies_ms(models, example)
    return [
        Cost(
            macs=count_macs(model, tuple(example.shape[1:])),
            params=count_parameters(model),
            latency_ms=latency_ms,
            test_top1=evaluate(model, dataset.test),
        )
        for model, latency_ms in zip(models, latencies_ms, strict=True)
    ]
