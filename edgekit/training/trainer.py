"""The training loop: Lightning Fabric for device, precision and processes, hooks for everything else."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer
from tqdm import tqdm

from edgekit.data import Dataset
from edgekit.tasks import Batch, Classification, Task, smoothed, total
from edgekit.training.evaluation import evaluate
from edgekit.training.finite import refuse_spoiled_weights, spoiled_loss
from edgekit.training.hooks import Hook
from edgekit.training.layout import lay_out, lay_out_weights, use_fastest_layout
from edgekit.training.loader import TrainingLoader, tensors_of
from edgekit.training.optimizer import restore_optimizer
from edgekit.training.recipe import Recipe
from edgekit.training.rounds import Rounds
from edgekit.training.schedule import learning_rate
from edgekit.training.state import check_identity, load_state, save_state
from edgekit.training.technique import Objective, Supervised, Technique
from edgekit.training.turns import LossMeans, Turn, Turns, players_of
from edgekit.training.weights import load_weights
from runtime.bundle import write_atomic
from runtime.errors import CheckpointError

METRICS_FILE = "metrics.jsonl"


class Trainer:
    """Trains one model by one recipe; ``fit`` does the work.

    Args:
        hooks: act in their order, before those of ``techniques``.
        techniques: what ``recipe.use`` names: see ``make_techniques``.

    Attributes:
        model: the plain module; on its device, and never wrapped, so hooks may change it.
        dataset: what ``fit`` trains on, and ``folder`` where it writes.
        epoch, step: the epoch and the step that run, counted from 0; steps over all epochs.
        steps_per_epoch: steps of one epoch.
    """

    dataset: Dataset
    folder: Path

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        hooks: Sequence[Hook] = (),
        task: Task | None = None,
        techniques: Sequence[Technique] = (),
    ):
        self.recipe = recipe
        self.task = smoothed(task or Classification(), recipe.label_smoothing)
        self.techniques = tuple(techniques)
        self.objective: Objective = Supervised()
        for technique in self.techniques:
            model = technique.network(model)
            self.objective = technique.objective(self.objective)
        self.hooks = (*hooks, *(hook for technique in self.techniques for hook in technique.hooks()))
        for hook in self.hooks:
            hook.prepare(model)
        self.model = model
        self._turns = Turns(
            model, players_of(self.task, model, self.techniques), recipe, partial(self.objective.losses, self)
        )
        self.fabric = self._turns.fabric
        self._means = LossMeans()
        self.epoch, self.step, self.steps_per_epoch = 0, 0, 0
        self._stopped = False
        self._layout = torch.contiguous_format

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.fabric.device

    @property
    def optimizer(self) -> Optimizer:
        """Of all of the model, or of the player whose turn it is."""
        return self._turns.current.optimizer

    def forward(self, inputs: Any) -> Any:
        """Return the model's outputs as training needs them: in its precision, joined by DDP."""
        return self._turns.forward(inputs)

    def clip(self, norm: float) -> None:
        """Shorten the gradients, all together, to an L2 norm of at most ``norm``."""
        self._turns.clip(norm)

    def stop(self) -> None:
        """End the training after the epoch that runs; before the first one: without any."""
        self._stopped = True

    def trained(self) -> nn.Module:
        """Return the model that was trained, without what techniques put around it."""
        model = self.model
        for technique in reversed(self.techniques):
            model = technique.trained(model)
        return model

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
        rank, world_size = self.fabric.global_rank, self.fabric.world_size
        for technique in self.techniques:
            dataset = replace(dataset, train=technique.training_data(dataset.train))
        loader = TrainingLoader(dataset, self.recipe, rank, world_size, self.techniques)
        self.dataset, self.folder = dataset, folder
        rounds = Rounds(dataset.train, folder, self.fabric)
        self.steps_per_epoch = math.ceil(len(loader) / self.recipe.accumulate)
        count = min(self.recipe.batch_size, len(dataset.train))
        example = tensors_of(dataset.train, range(count), self.device).inputs
        self._layout = use_fastest_layout(self.model, example)
        log = self._begin(folder, identity, resume)
        if log and self.fabric.is_global_zero:
            _write_metrics(folder, log)  # killed after the state was written, the run lacks its last line
        bar = tqdm(
            total=self.recipe.epochs * self.steps_per_epoch,
            initial=self.epoch * self.steps_per_epoch,
            unit="step",
            mininterval=0.1 if sys.stderr.isatty() else 10.0,  # a log keeps every line that is drawn
            disable=not (progress and self.fabric.is_global_zero),
        )
        with bar:
            while self.epoch < self.recipe.epochs and not self._stopped:
                loader.batches.split = rounds.split_in(self)
                log.append({**self._run_epoch(loader, bar), **rounds.figures()})
                self.epoch += 1
                if self.fabric.is_global_zero:
                    save_state(
                        folder,
                        self.epoch,
                        identity,
                        log,
                        self.model,
                        self._turns.optimizers(),
                        self.hooks,
                        self._stopped,
                    )
                    _write_metrics(folder, log)
        # Where a run stands too that was killed after its last epoch: the same random numbers follow.
        self.step = self.epoch * self.steps_per_epoch
        self._call("finalize")
        lay_out_weights(self.model, torch.contiguous_format)  # as a checkpoint has it, to the bit
        return log

    def _begin(self, folder: Path, identity: dict[str, Any], resume: bool) -> list[dict[str, Any]]:
        """Take up the state in ``folder``, of a resumed run; return the metrics of what is behind it."""
        if not resume:
            self._call("on_train_begin")
            return []
        state = load_state(folder)
        check_identity(folder, state.identity, identity)
        load_weights(self.model, state.model, str(folder))
        for player, optimizer in self._turns.optimizers().items():
            restore_optimizer(optimizer, state.of_player(player))
        self.epoch = state.epoch
        self.step = state.epoch * self.steps_per_epoch
        self._call("on_train_begin")
        for index, hook in enumerate(self.hooks):
            stored = state.of_hook(index)
            missing = sorted(set(hook.state_dict()) - set(stored))
            if missing:
                raise CheckpointError(
                    f"{folder} lacks {missing[0]!r} of {type(hook).__name__}; remove {folder} and train again"
                )
            hook.load_state_dict(stored)
        self._stopped = self._stopped or state.stopped
        return state.log

    def _run_epoch(self, loader: TrainingLoader, bar: tqdm) -> dict[str, Any]:
        """Train for an epoch, test, and return the line of metrics."""
        begin = time.perf_counter()
        # Each epoch has seeds of its own: dropout after an interruption draws what it would have drawn.
        seeds = np.random.SeedSequence((self.recipe.seed, self.epoch, self.fabric.global_rank))
        torch.manual_seed(int(seeds.generate_state(1)[0]))
        self.model.train()
        self._call("on_epoch_begin")
        summed = torch.zeros((), device=self.device)
        batches = iter(loader.epoch(self.epoch))
        for index in range(self.steps_per_epoch):
            self.step = self.epoch * self.steps_per_epoch + index
            summed += self._run_step(list(islice(batches, self.recipe.accumulate)))
            bar.update()
        refuse_spoiled_weights(self)
        loss = self._turns.mean_everywhere(summed).item() / len(loader)
        self._call("on_epoch_end")
        figures = {name: value for hook in self.hooks for name, value in hook.metrics(self).items()}
        score = self._test()
        shown = {name: f"{value:.4f}" for name, value in score.items()}
        bar.set_postfix({"epoch": self.epoch + 1, "loss": f"{loss:.3f}", **shown})
        return {
            "epoch": self.epoch,
            "lr": self.optimizer.param_groups[0]["lr"],
            "train_loss": loss,
            **self._means.take(self._turns),
            **score,
            **figures,
            "duration_s": round(time.perf_counter() - begin, 3),
        }

    def _test(self) -> dict[str, float]:
        """Return the score on the test images, in every Nth epoch and the last one."""
        is_last = self._stopped or self.epoch + 1 == self.recipe.epochs
        if not is_last and (self.epoch + 1) % self.recipe.eval_every:
            return {}
        return {f"test_{self.task.metric}": evaluate(self.model, self.dataset.test, task=self.task)}

    def _run_step(self, batches: list[Batch]) -> torch.Tensor:
        """Make one step by the mean gradient of ``batches`` and return the sum of their losses."""
        rate = learning_rate(
            self.step,
            steps=self.recipe.epochs * self.steps_per_epoch,
            warmup_steps=min(self.recipe.warmup_epochs, self.recipe.epochs - 1) * self.steps_per_epoch,
            peak=self.recipe.lr,
        )
        self._turns.begin_step(rate)
        self._call("on_step_begin")
        summed = torch.zeros((), device=self.device)
        for turn in self._turns.every:
            if turn.acts_in(self.step):
                summed += self._take(turn, batches)
        with torch.no_grad():
            self.task.after_step(self.model, self.step)
        self._turns.agree()
        self._call("on_step_end")
        return summed

    def _take(self, turn: Turn, batches: list[Batch]) -> torch.Tensor:
        """Let ``turn`` make its step and return the sum of its losses."""
        self._turns.current = turn
        self.optimizer.zero_grad()
        summed = torch.zeros((), device=self.device)
        for batch in batches:
            inputs, targets = self.fabric.to_device(batch)
            inputs = lay_out(inputs, self._layout)
            losses = turn.losses(Batch(inputs, targets))
            loss = total(losses)
            if not self._turns.is_finite_everywhere(loss):
                again = partial(turn.losses, Batch(inputs, targets))
                raise spoiled_loss(self, losses, self._turns.sums_everywhere(losses), again)
            self.fabric.backward(loss / len(batches) if len(batches) > 1 else loss)
            self._means.add(losses)
            summed += loss.detach()
        self._call("on_backward_end")
        self.optimizer.step()
        return summed

    def _call(self, moment: str) -> None:
        with torch.no_grad():
            for hook in self.hooks:
                getattr(hook, moment)(self)


def _write_metrics(folder: Path, log: list[dict[str, Any]]) -> None:
    write_atomic(folder / METRICS_FILE, b"".join(msgspec.json.encode(item) + b"\n" for item in log))
