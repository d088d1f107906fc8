"""The training loop: Lightning Fabric for device, precision and processes, hooks for everything else."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from tqdm import tqdm

from edgekit.data import Dataset, Split
from edgekit.training.hooks import Hook
from edgekit.training.loader import TrainingLoader, batches_of
from edgekit.training.recipe import Recipe
from edgekit.training.schedule import learning_rate
from edgekit.training.state import load_state, restore_optimizer, save_state
from edgekit.training.task import Classification, Task
from edgekit.training.weights import load_weights
from runtime.bundle import write_atomic
from runtime.errors import CheckpointError, TrainingError

METRICS_FILE = "metrics.jsonl"
_EVALUATION_BATCH = 256


class Trainer:
    """Trains one model by one recipe; ``fit`` does the work.

    Attributes:
        model: the plain module; on its device, and never wrapped, so hooks may change it.
        optimizer: its optimizer.
        epoch: the epoch that runs, counted from 0.
    """

    def __init__(
        self, model: nn.Module, recipe: Recipe, hooks: Sequence[Hook] = (), task: Task | None = None
    ):
        self.recipe = recipe
        self.hooks = tuple(hooks)
        self.task = task or Classification(recipe.label_smoothing)
        # One process needs no strategy; more of them are Fabric's DDP.
        self.fabric = Fabric(accelerator=recipe.device, devices=recipe.devices, precision=recipe.precision)
        self.fabric.launch()
        self.model = model
        self._wrapped, self.optimizer = self.fabric.setup(model, build_optimizer(model, recipe))
        self.epoch = 0

    def fit(
        self,
        dataset: Dataset,
        folder: Path,
        *,
        identity: dict[str, Any],
        resume: bool = False,
        progress: bool = True,
    ) -> list[dict[str, Any]]:
        """Run the epochs that are left and return the metrics of all of them.

        After every epoch the state and a line of metrics are in ``folder``; with ``resume`` the run
        goes on from there, and on the CPU ends with the same bits as one that was never interrupted.

        Args:
            identity: says what the run is (model, data, recipe); a resumed run must have the same.

        Raises:
            CheckpointError: ``resume`` and the state there is of another run.
            TrainingError: the loss is not a number any more.
        """
        loader = TrainingLoader(dataset, self.recipe, self.fabric.global_rank, self.fabric.world_size)
        log = self._restore(folder, identity) if resume else []
        if log and self.fabric.is_global_zero:
            _write_metrics(folder, log)  # killed after the state was written, the run lacks its last line
        self._call("on_train_begin")
        bar = tqdm(
            total=self.recipe.epochs * len(loader),
            initial=self.epoch * len(loader),
            unit="step",
            mininterval=0.1 if sys.stderr.isatty() else 10.0,  # a log keeps every line that is drawn
            disable=not (progress and self.fabric.is_global_zero),
        )
        with bar:
            while self.epoch < self.recipe.epochs:
                begin = time.perf_counter()
                loss = self._run_epoch(loader, bar)
                score = evaluate(self.model, dataset.test, task=self.task)
                line = {
                    "epoch": self.epoch,
                    "lr": self.optimizer.param_groups[0]["lr"],
                    "train_loss": loss,
                    f"test_{self.task.metric}": score,
                    "duration_s": round(time.perf_counter() - begin, 3),
                }
                log.append(line)
                bar.set_postfix(
                    {"epoch": self.epoch + 1, "loss": f"{loss:.3f}", self.task.metric: f"{score:.4f}"}
                )
                self.epoch += 1
                if self.fabric.is_global_zero:
                    save_state(folder, self.epoch, identity, log, self.model, self.optimizer)
                    _write_metrics(folder, log)
        self._call("finalize")
        return log

    def _restore(self, folder: Path, identity: dict[str, Any]) -> list[dict[str, Any]]:
        """Take up the state in ``folder`` and return the metrics of the epochs it has behind it."""
        state = load_state(folder)
        for name, value in identity.items():
            if state.identity.get(name) != value:
                raise CheckpointError(
                    f"{folder} holds a run with {name} {state.identity.get(name)!r}, asked is {value!r}; "
                    "resume with the same, or choose another --out"
                )
        load_weights(self.model, state.model, str(folder))
        restore_optimizer(self.optimizer, state.optimizer)
        self.epoch = state.epoch
        return state.log

    def _run_epoch(self, loader: TrainingLoader, bar: tqdm) -> float:
        # Each epoch has seeds of its own: dropout after an interruption draws what it would have drawn.
        seeds = np.random.SeedSequence((self.recipe.seed, self.epoch, self.fabric.global_rank))
        torch.manual_seed(int(seeds.generate_state(1)[0]))
        self.model.train()
        self._call("on_epoch_begin")
        total = torch.zeros((), device=self.fabric.device)
        for step, batch in enumerate(loader.epoch(self.epoch)):
            inputs, targets = self.fabric.to_device(batch)
            rate = learning_rate(
                self.epoch * len(loader) + step,
                steps=self.recipe.epochs * len(loader),
                warmup_steps=min(self.recipe.warmup_epochs, self.recipe.epochs - 1) * len(loader),
                peak=self.recipe.lr,
            )
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.optimizer.zero_grad()
            loss = self.task.loss(self._wrapped(inputs), targets)
            self.fabric.backward(loss)
            self._call("on_backward_end")
            self.optimizer.step()
            self._call("on_step_end")
            total += loss.detach()
            bar.update()
        mean = total.item() / len(loader)
        if not math.isfinite(mean):
            raise TrainingError(f"the loss is {mean} in epoch {self.epoch}; it must stay finite: lower --lr")
        self._call("on_epoch_end")
        return mean

    def _call(self, moment: str) -> None:
        with torch.no_grad():
            for hook in self.hooks:
                getattr(hook, moment)(self)


def _write_metrics(folder: Path, log: list[dict[str, Any]]) -> None:
    write_atomic(folder / METRICS_FILE, b"".join(msgspec.json.encode(item) + b"\n" for item in log))


def evaluate(model: nn.Module, split: Split, *, task: Task | None = None) -> float:
    """Return the mean score of ``model`` over ``split``: top-1 accuracy in [0, 1] unless ``task`` says else.

    The model runs where its weights are, in eval mode, and is left in the mode it was in.

    Example:
        >>> evaluate(model, digits.test)   # doctest: +SKIP
        0.98
    """
    task = task or Classification()
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    total = 0.0
    with torch.inference_mode():
        for inputs, targets in batches_of(split, _EVALUATION_BATCH):
            total += float(task.score(model(inputs.to(device)), targets.to(device)))
    model.train(was_training)
    return total / len(split)


def build_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the recipe's optimizer; vectors (biases, normalisation) get no weight decay."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.lr, fused=True)
    return torch.optim.SGD(
        groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0, fused=True
    )
