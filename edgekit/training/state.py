"""What a training needs to go on after an interruption, in one file that is replaced whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn
from torch.optim import Optimizer

from runtime.bundle import write_atomic
from runtime.bundle.decoding import decode_json
from runtime.errors import CheckpointError

STATE_FILE = "trainer.safetensors"
_MODEL, _OPTIMIZER = "model/", "optimizer/"


@dataclass(frozen=True)
class TrainingState:
    """Weights, optimizer and metrics (``log``) after ``epoch`` epochs, and what the run is (``identity``)."""

    epoch: int
    identity: dict[str, Any]
    log: list[dict[str, Any]]
    model: dict[str, torch.Tensor]
    optimizer: dict[str, torch.Tensor]


@dataclass(frozen=True)
class _Document:
    """What stands beside the tensors."""

    epoch: int
    identity: dict[str, Any]
    log: list[dict[str, Any]]


def save_state(
    folder: Path,
    epoch: int,
    identity: dict[str, Any],
    log: list[dict[str, Any]],
    model: nn.Module,
    optimizer: Optimizer,
) -> None:
    """Write the state after ``epoch`` epochs to ``folder``."""
    tensors = {_MODEL + name: tensor for name, tensor in model.state_dict().items()}
    for index, entries in optimizer.state_dict()["state"].items():
        for name, value in entries.items():
            if value is not None:
                tensors[f"{_OPTIMIZER}{index}/{name}"] = torch.as_tensor(value)
    document = msgspec.json.encode({"epoch": epoch, "identity": identity, "log": log}).decode()
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_atomic(folder / STATE_FILE, save(plain, metadata={"edgekit": document}))


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
        model=_below(_MODEL, tensors),
        optimizer=_below(_OPTIMIZER, tensors),
    )


def restore_optimizer(optimizer: Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Put saved buffers, such as momentum, back into ``optimizer``."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for path, tensor in tensors.items():
        index, _, name = path.partition("/")
        if not (index.isascii() and index.isdecimal()):
            raise CheckpointError(f"{STATE_FILE} is damaged: it has a buffer {path!r}; train again")
        state.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _below(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
