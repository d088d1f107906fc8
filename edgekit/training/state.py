"""What a training needs to go on after an interruption, in one file that is replaced whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn
from torch.optim import Optimizer

from edgekit.models import ModelSpec
from edgekit.tasks import StoredTask, task_of
from edgekit.training.hooks import Hook
from edgekit.training.pruned_start import PRUNED
from edgekit.training.weights import load_weights, plain_tensors
from runtime.bundle import write_atomic
from runtime.bundle.decoding import decode_json
from runtime.errors import CheckpointError

STATE_FILE = "trainer.safetensors"
_MODEL, _OPTIMIZER, _HOOK = "model/", "optimizer/", "hook/"


@dataclass(frozen=True)
class TrainingState:
    """Weights, optimizer, hooks and metrics (``log``) after ``epoch`` epochs.

    ``identity`` is what the run is; ``stopped`` that a hook ended it after this epoch.
    """

    epoch: int
    identity: dict[str, Any]
    log: list[dict[str, Any]]
    stopped: bool
    model: dict[str, torch.Tensor]
    optimizer: dict[str, torch.Tensor]
    hooks: dict[str, torch.Tensor]

    def of_player(self, name: str) -> dict[str, torch.Tensor]:
        """Return the buffers of a player's optimizer; of the only one its name is empty."""
        return _below(_below_player(name), self.optimizer)

    def of_hook(self, index: int) -> dict[str, torch.Tensor]:
        """Return what the hook at ``index`` stored."""
        return _below(f"{index}/", self.hooks)


@dataclass(frozen=True)
class _Document:
    """What stands beside the tensors."""

    epoch: int
    identity: dict[str, Any]
    log: list[dict[str, Any]]
    stopped: bool = False


def save_state(
    folder: Path,
    epoch: int,
    identity: dict[str, Any],
    log: list[dict[str, Any]],
    model: nn.Module,
    optimizers: Mapping[str, Optimizer],
    hooks: Sequence[Hook] = (),
    stopped: bool = False,
) -> None:
    """Write the state after ``epoch`` epochs to ``folder``; the only optimizer is called ``""``."""
    tensors = {_MODEL + name: tensor for name, tensor in model.state_dict().items()}
    for player, optimizer in optimizers.items():
        for index, entries in optimizer.state_dict()["state"].items():
            for name, value in entries.items():
                if value is not None:
                    tensors[f"{_OPTIMIZER}{_below_player(player)}{index}/{name}"] = torch.as_tensor(value)
    for place, hook in enumerate(hooks):
        tensors |= {f"{_HOOK}{place}/{name}": tensor for name, tensor in hook.state_dict().items()}
    document = msgspec.json.encode(_Document(epoch, identity, log, stopped)).decode()
    write_atomic(folder / STATE_FILE, save(plain_tensors(tensors), metadata={"edgekit": document}))


def load_state(folder: Path) -> TrainingState:
    """Read the state in ``folder``.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        raise CheckpointError(
            f"{folder} holds no interrupted training ({STATE_FILE}); start it without --resume"
        )
    try:
        with safe_open(path, framework="pt") as opened:
            text = (opened.metadata() or {}).get("edgekit", "")
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as err:
        raise CheckpointError(f"{path} is damaged ({err}); remove {folder} and train again") from err
    document: _Document = decode_json(
        text.encode(),
        _Document,
        where=f"{path} is damaged",
        advice=f"remove {folder} and train again",
        error=CheckpointError,
    )
    return TrainingState(
        epoch=document.epoch,
        identity=document.identity,
        log=document.log,
        stopped=document.stopped,
        model=_below(_MODEL, tensors),
        optimizer=_below(_OPTIMIZER, tensors),
        hooks=_below(_HOOK, tensors),
    )


def interrupted_network(folder: Path) -> nn.Module:
    """Return the network of the training that broke off in ``folder``, as its last whole epoch left it.

    Raises:
        CheckpointError: there is none, it is damaged, or its channels were being removed.
    """
    state = load_state(folder)
    if PRUNED in state.identity:
        raise CheckpointError(
            f"the training of a pruned network broke off in {folder}; pass --resume to go on with it, or "
            "start from the checkpoint that it began with"
        )
    names = {field.name for field in fields(ModelSpec)}
    try:
        spec = msgspec.convert({n: v for n, v in state.identity.items() if n in names}, ModelSpec)
        stored = msgspec.convert(state.identity.get("task"), StoredTask | None)
        model = task_of(stored).build(spec)
    except (msgspec.ValidationError, ValueError) as err:
        where = folder / STATE_FILE
        raise CheckpointError(f"{where} names no network ({err}); start from another checkpoint") from err
    load_weights(model, state.model, str(folder / STATE_FILE))
    return model


def check_identity(folder: Path, stored: dict[str, Any], asked: dict[str, Any]) -> None:
    """Refuse to go on with a run that is another one.

    Raises:
        CheckpointError: ``stored`` says so.
    """
    for name, value in asked.items():
        if stored.get(name) != value:
            raise CheckpointError(
                f"{folder} holds a run with {name} {stored.get(name)!r}, asked is {value!r}; "
                "resume with the same, or choose another --out"
            )


def _below_player(name: str) -> str:
    return f"{name}/" if name else ""


def _below(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
