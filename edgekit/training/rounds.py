"""Rounds: a network labels its training examples again, then training goes on with these labels.

The labels of the round that runs stand in a file of their own, written before its first epoch: a run that was
killed goes on with the very labels that it had, though its network is another by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from edgekit.data import Split
from edgekit.tasks import Round
from edgekit.training.hooks import Training
from runtime.bundle import write_atomic
from runtime.errors import CheckpointError, DataError, TrainingError

LABELS_FILE = "labels.safetensors"
_EPOCH, _INDICES, _LABELS, _FIELD = "epoch", "indices", "labels", "field/"


class Rounds:
    """What is trained on in each epoch, as the task's rounds say.

    Args:
        split: the training examples as the data have them.
        folder: where the labels are kept.
    """

    def __init__(self, split: Split, folder: Path, fabric: Fabric):
        self.split, self.folder, self.fabric = split, folder, fabric
        self._begin: int | None = None
        self._number = self._count = 0
        self._current = split

    def split_in(self, run: Training) -> Split:
        """Return the examples of ``run.epoch``, labelled again where a round begins.

        Raises:
            TrainingError: a round has no example, or not as many labels.
            CheckpointError: the labels of a run that is resumed are not there, or damaged.
        """
        begins = sorted(begin for begin in set(run.task.rounds(run.recipe.epochs)) if begin <= run.epoch)
        if not begins or begins[-1] == self._begin:
            return self._current
        self._begin, self._number = begins[-1], len(begins)
        if self._begin == run.epoch:
            self._relabel(run)
        found = self._load()
        self._count = len(found.indices)
        # Again and again: every epoch has as many steps, so that the learning rate goes its way.
        order = np.resize(np.arange(self._count), len(self.split))
        try:
            self._current = self.split.relabelled(found.indices, found.labels).part(order)
        except DataError as err:
            raise TrainingError(f"round {self._number} of {run.task.name!r} does not fit: {err}") from err
        return self._current

    def figures(self) -> dict[str, Any]:
        """Return for the log which round it is, from 1, and of how many examples; before it nothing."""
        return {"round": self._number, "examples": self._count} if self._number else {}

    def _relabel(self, run: Training) -> None:
        """Let the task label the examples, alike in all processes, and keep what the first one finds."""
        seeds = np.random.SeedSequence((run.recipe.seed, run.epoch))
        torch.manual_seed(int(seeds.generate_state(1)[0]))
        net = run.trained()
        was_training = net.training
        net.eval()
        with torch.no_grad():
            found = run.task.relabel(net, self.split, np.random.default_rng(seeds))
        net.train(was_training)
        indices = np.asarray(found.indices, dtype=np.int64)
        if not indices.size or indices.min() < 0 or indices.max() >= len(self.split):
            raise TrainingError(
                f"round {self._number} of {run.task.name!r} keeps {indices.size} examples; it must keep "
                f"one or more of 0 to {len(self.split) - 1}"
            )
        arrays = {_INDICES: indices}
        if isinstance(found.labels, Mapping):
            arrays |= {f"{_FIELD}{name}": np.ascontiguousarray(one) for name, one in found.labels.items()}
        else:
            arrays[_LABELS] = np.ascontiguousarray(found.labels)
        if self.fabric.is_global_zero:
            write_atomic(self.folder / LABELS_FILE, save(arrays, metadata={_EPOCH: str(run.epoch)}))
        self.fabric.barrier()

    def _load(self) -> Round:
        path = self.folder / LABELS_FILE
        try:
            with safe_open(path, framework="numpy") as opened:
                epoch = (opened.metadata() or {}).get(_EPOCH)
                arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (no dict)
            named = {
                name.removeprefix(_FIELD): one for name, one in arrays.items() if name.startswith(_FIELD)
            }
            found = Round(arrays[_INDICES], named or arrays[_LABELS])
        except (SafetensorError, OSError, KeyError) as err:
            raise CheckpointError(
                f"{path}, the labels of round {self._number}, cannot be read ({err}); remove {self.folder} "
                "and train again"
            ) from err
        if epoch != str(self._begin):
            raise CheckpointError(
                f"{path} holds the labels of epoch {epoch}, those of {self._begin} are needed; remove "
                f"{self.folder} and train again"
            )
        return found
