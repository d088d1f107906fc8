"""One job of a sweep: a training that goes on where it stopped, and its result on the disk."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edgekit.models import count_macs, count_parameters
from edgekit.pruning import train_by_file
from edgekit.training.checkpoint import CHECKPOINT_FILE, Checkpoint
from edgekit.training.recipe_file import read_recipe
from edgekit.training.state import STATE_FILE
from runtime.bundle import write_atomic
from runtime.bundle.decoding import decode_json
from runtime.errors import EdgekitError

_RESULT = "result.json"


@dataclass(frozen=True)
class SweepJob:
    """A recipe with its seed, and the row of the table that it belongs to."""

    row: dict[str, Any]
    seed: int
    recipe: dict[str, Any]

    @property
    def key(self) -> str:
        """Name of the job's folder: what is trained decides it, whatever the plan around it is."""
        plain = msgspec.json.encode(msgspec.to_builtins(self.recipe), order="sorted")
        return hashlib.sha256(plain).hexdigest()[:16]


@dataclass(frozen=True)
class JobResult:
    """What came out of a job: figures, or the ``error`` that ended it.

    ``figures``: the checkpoint's metrics, MACs, parameters, and of a pruned one top-1 after the removal.
    ``was_stopped``: an earlier process of the job was killed; ``duration_s`` is that of the last one.
    """

    figures: dict[str, float] = field(default_factory=dict)
    duration_s: float = 0.0
    error: str | None = None
    was_stopped: bool = False


def stored_result(folder: Path) -> JobResult | None:
    """Return the result in a job's ``folder``; ``None`` when it is not finished."""
    path = folder / _RESULT
    if not path.is_file():
        return None
    return decode_json(path.read_bytes(), JobResult, where=f"{path} is damaged", advice=f"remove {folder}")


def run_job(recipe: dict[str, Any], folder: str) -> JobResult:
    """Train as ``recipe`` says in ``folder`` and return the result, which then is there too.

    A run that was killed goes on after its last whole epoch. What cannot be trained ends with its error.
    """
    place, begin = Path(folder), time.perf_counter()
    was_stopped = place.exists()
    place.mkdir(parents=True, exist_ok=True)
    run = place / "run"
    was_started = any(next(run.rglob(name), None) for name in (STATE_FILE, CHECKPOINT_FILE))
    try:
        checkpoint = train_by_file(read_recipe(recipe, "job"), run, resume=was_started, progress=False)
        duration_s = round(time.perf_counter() - begin, 1)
        result = JobResult(_figures(checkpoint), duration_s, was_stopped=was_stopped)
    except (EdgekitError, ValueError) as err:
        return JobResult(error=str(err))
    write_atomic(place / _RESULT, msgspec.json.encode(result))
    return result


def _figures(checkpoint: Checkpoint) -> dict[str, float]:
    model, image = checkpoint.build(), checkpoint.image
    pruning = checkpoint.pruning or {}
    found = {name: pruning.get(name) for name in ("removed_top1", "reestimated_top1")}
    return {
        **checkpoint.metrics,
        "macs": count_macs(model, (image.channels, image.size, image.size)),
        "params": count_parameters(model),
        **{name: value for name, value in found.items() if value is not None},
    }
