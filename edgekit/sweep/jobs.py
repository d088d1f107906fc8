"""One job of a sweep: a training that goes on where it stopped, and its result on the disk."""

from __future__ import annotations

import functools
import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edgekit.data import Dataset, load_dataset
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
    """A recipe with its seed, and the row of the table that it belongs to.

    ``start_sha256``: hash of the checkpoint that the recipe starts from.
    """

    row: dict[str, Any]
    seed: int
    recipe: dict[str, Any]
    start_sha256: str | None = None

    @property
    def key(self) -> str:
        """Name of the job's folder: what is trained decides it, whatever the plan around it is."""
        start = {} if self.start_sha256 is None else {"init": self.start_sha256}
        plain = msgspec.json.encode(msgspec.to_builtins({**self.recipe, **start}), order="sorted")
        return hashlib.sha256(plain).hexdigest()[:16]


@dataclass(frozen=True)
class JobResult:
    """What came out of a job: figures, or the ``error`` that ended it.

    ``figures``: the checkpoint's metrics, MACs, parameters, and of a pruned one the score after the removal.
    ``cpu_s``: processor time of all threads. Of a job that was killed, both are of what was left to do.
    ``was_stopped``: an earlier process of the job was killed.
    """

    figures: dict[str, float] = field(default_factory=dict)
    duration_s: float = 0.0
    cpu_s: float = 0.0
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
    place, begin, cpu_begin_s = Path(folder), time.perf_counter(), time.process_time()
    was_stopped = place.exists()
    place.mkdir(parents=True, exist_ok=True)
    run = place / "run"
    was_started = any(next(run.rglob(name), None) for name in (STATE_FILE, CHECKPOINT_FILE))
    try:
        file = read_recipe(recipe, "job")
        dataset = _dataset(file.data, file.data_root, file.named.model.get("image_size"))
        checkpoint = train_by_file(file, run, dataset=dataset, resume=was_started, progress=False)
        duration_s = round(time.perf_counter() - begin, 1)
        cpu_s = round(time.process_time() - cpu_begin_s, 1)
        result = JobResult(_figures(checkpoint), duration_s, cpu_s, was_stopped=was_stopped)
    except (EdgekitError, ValueError) as err:
        return JobResult(error=str(err))
    write_atomic(place / _RESULT, msgspec.json.encode(result))
    return result


@functools.lru_cache(maxsize=1)
def _dataset(name: str, root: str | None, image_size: int | None) -> Dataset:
    """Return the dataset; a worker keeps the last one, which mostly is the next job's too."""
    return load_dataset(name, root=root, image_size=image_size)


def _figures(checkpoint: Checkpoint) -> dict[str, float]:
    model, image = checkpoint.build(), checkpoint.image
    macs = {} if image is None else {"macs": count_macs(model, (image.channels, image.size, image.size))}
    pruning = checkpoint.pruning or {}
    metric = checkpoint.make_task().metric
    found = {name: pruning.get(name) for name in (f"removed_{metric}", f"reestimated_{metric}")}
    return {
        **checkpoint.metrics,
        **macs,
        "params": count_parameters(model),
        **{name: value for name, value in found.items() if value is not None},
    }
