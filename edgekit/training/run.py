"""Train a model from its spec to a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import nn

from edgekit.data import Dataset, limit_training
from edgekit.models import ModelSpec, pin, pretrained
from edgekit.nn import TemperatureSchedule
from edgekit.tasks import Classification, Task, check_backbone, stored_task
from edgekit.training.checkpoint import (
    CHECKPOINT_FILE,
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from edgekit.training.evaluation import evaluate
from edgekit.training.hooks import Hook, TemperatureAnnealing
from edgekit.training.precision import settle_precision
from edgekit.training.pruned_start import pruned_of
from edgekit.training.quantization_aware import QuantizationAware
from edgekit.training.recipe import Recipe
from edgekit.training.recipe_file import IMAGENET
from edgekit.training.rounds import LABELS_FILE
from edgekit.training.state import STATE_FILE, check_identity, interrupted_network
from edgekit.training.technique import make_techniques
from edgekit.training.trainer import Trainer
from edgekit.training.weights import start_from
from runtime.errors import CheckpointError


def train(
    spec: ModelSpec,
    dataset: Dataset,
    recipe: Recipe,
    out: str | Path,
    *,
    hooks: Sequence[Hook] = (),
    resume: bool = False,
    task: Task | None = None,
    init: nn.Module | Checkpoint | None = None,
    placement: dict[str, Any] | None = None,
    progress: bool = True,
) -> Checkpoint:
    """Train the model of ``spec`` on ``dataset`` and return its checkpoint in the folder ``out``.

    The folder also gets ``metrics.jsonl``, one line per epoch.

    Args:
        spec: what to train; classes, channels and image size must be the dataset's (see ``fit_spec``).
        task: what the network is for; default: classification.
        resume: continue an interrupted run in ``out``; one that was finished is returned as it is.
        init: start from the weights of this network or checkpoint; its classifier may have other classes,
            then the new one starts at random. What a checkpoint lost by pruning stays gone.
        placement: how the layers of ``spec.dynamic_at`` were chosen; is kept in the checkpoint.
        progress: show a bar on stderr.

    Raises:
        ValueError: ``spec`` does not fit ``dataset``.
        DataError: the task does not learn from data like ``dataset``.
        CheckpointError: ``out`` holds a run already, or ``init`` or the run to resume is another model's
            (a pruned ``init`` must be of ``spec``, but for what the dataset decides).
        TrainingError: the loss is not a number any more.

    Example:
        >>> digits = load_dataset("digits")                                          # doctest: +SKIP
        >>> spec = fit_spec(ModelSpec("mobilenet_v2", width=0.35), digits)           # doctest: +SKIP
        >>> train(spec, digits, Recipe(epochs=5), "runs/digits").metrics             # doctest: +SKIP
        {'test_top1': 0.97}
    """
    if fit_spec(spec, dataset) != spec:
        raise ValueError(f"{spec} does not fit dataset {dataset.name!r}; use {fit_spec(spec, dataset)}")
    folder = Path(out)
    task = task or Classification()
    dataset = limit_training(task.view(dataset), recipe.limit, recipe.seed)
    check_backbone(task, spec)
    task = task.fitted(dataset)
    choice = {"resume": resume, "progress": progress}
    pruned = pruned_of(init, spec, task)
    build = partial(pruned.network, task, spec, dataset.image)
    recipe = settle_precision(recipe, build, dataset, folder, **choice)
    # As JSON reads it back: the state of an interrupted run is compared with it.
    chosen = msgspec.json.decode(msgspec.json.encode(spec))
    identity = {
        "dataset": dataset.name,
        **chosen,
        **recipe.identity(),
        **task_identity(task),
        **pruned.identity(),
    }
    techniques = make_techniques(recipe, dataset)
    if resume and (folder / CHECKPOINT_FILE).is_file():
        return end_run(folder, identity)
    claim_folder(folder, resume)
    torch.manual_seed(recipe.seed)
    model = build()
    if init is not None:
        network = init.build() if isinstance(init, Checkpoint) else init
        start_from(model, network.state_dict(), "the network to start from")
    trainer = Trainer(model, recipe, [*own_hooks(recipe), *hooks], task, techniques)
    log = trainer.fit(dataset, folder, identity=identity, resume=resume, progress=progress)

    def save() -> None:
        model = trainer.trained()
        save_checkpoint(
            folder,
            model,
            spec=spec,
            dataset=dataset.name,
            image=dataset.image,
            labels=tuple(dataset.labels),
            recipe=msgspec.to_builtins(recipe),
            task=task,
            metrics={
                f"test_{task.metric}": evaluate(model, dataset.test, task=task),
                "train_loss": log[-1]["train_loss"],
            },
            placement=placement,
            run=identity,
            **pruned.kept(),
        )

    return save_once(trainer, folder, save)


def task_identity(task: Task) -> dict[str, Any]:
    """Return what a run's identity says of its task; nothing of classification."""
    stored = stored_task(task)
    # As JSON reads it back: options that are tuples become lists.
    return {} if stored is None else {"task": msgspec.json.decode(msgspec.json.encode(stored))}


def own_hooks(recipe: Recipe) -> list[Hook]:
    """Return the hooks that the numbers of ``recipe`` ask for."""
    # The last epoch at the latest trains at temperature 1: that is what is tested and exported.
    annealing = TemperatureSchedule(epochs=min(recipe.temperature_epochs, recipe.epochs - 1))
    return [TemperatureAnnealing(annealing), *([QuantizationAware()] if recipe.qat else [])]


def starting_network(model: str, init: str | Path) -> nn.Module | Checkpoint:
    """Return what to start from.

    Args:
        init: ``imagenet``: ``model`` with these weights; or a folder: its checkpoint, or the last whole epoch
            of a training that broke off there.

    Raises:
        CheckpointError: the folder has neither, or what it has is damaged.
        ValueError: ``model`` has no ImageNet weights.
    """
    if init == IMAGENET:
        return pretrained(model).model
    folder = Path(init)
    broke_off = (folder / STATE_FILE).is_file() and not (folder / CHECKPOINT_FILE).is_file()
    return interrupted_network(folder) if broke_off else load_checkpoint(folder)


def fit_spec(spec: ModelSpec, dataset: Dataset) -> ModelSpec:
    """Return ``spec`` with the classes, channels and image size of ``dataset``; as it is where it has none.

    Of a user's file it gets the whole path and the sha256, too.
    """
    if dataset.image is None:
        return pin(spec)
    return replace(
        pin(spec),
        num_classes=len(dataset.labels),
        in_channels=dataset.image.channels,
        image_size=dataset.image.size,
    )


def claim_folder(folder: Path, resume: bool) -> None:
    """Make ``folder`` for a run; refuse one that holds a run already, unless it is resumed.

    Raises:
        CheckpointError: it does.
    """
    if not resume and any((folder / name).exists() for name in (STATE_FILE, CHECKPOINT_FILE)):
        raise CheckpointError(
            f"{folder} holds a run already; pass --resume to continue it or choose another --out"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise CheckpointError(f"cannot make {folder} ({err}); choose another --out") from err


def save_once(trainer: Trainer, folder: Path, save: Callable[[], None]) -> Checkpoint:
    """Let the first of a DDP run's processes ``save``; every process returns the checkpoint in ``folder``."""
    trainer.fabric.barrier()
    if trainer.fabric.is_global_zero:
        save()
        end_run(folder)
    trainer.fabric.barrier()
    return load_checkpoint(folder)


def end_run(folder: Path, identity: dict[str, Any] | None = None) -> Checkpoint:
    """Return the checkpoint in ``folder``; the states of the run that made it are not needed any more.

    Args:
        identity: what the run that is resumed is; the one in ``folder`` must be the same. Checkpoints of
            0.1.0 do not say what they are of, and are taken as they are.

    Raises:
        CheckpointError: it is another run.
    """
    checkpoint = load_checkpoint(folder)
    if identity is not None and checkpoint.run is not None:
        check_identity(folder, checkpoint.run, identity)
    for name in (STATE_FILE, LABELS_FILE):
        for state in (folder / name, *folder.glob(f"*/{name}")):
            state.unlink(missing_ok=True)
    return checkpoint
