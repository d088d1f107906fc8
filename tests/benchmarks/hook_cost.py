"""What a pruning method costs a training step: ``python -m tests.benchmarks.hook_cost``.

ResNet-20 at batch 128, on random images, one thread. In one run the method acts in every other step; a
pair is a step without it and the one with it that follows. Times are processor time, so that what else
runs on the machine counts little. ``share`` is the method's own time by that of a step without it, a
median over the pairs, and is what must be below 5 %; ``ratio`` is a whole step with it by one without,
with a 95 % interval: what the method does to the rest of a step, through caches, is in it too.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from edgekit.data import Dataset
from edgekit.data.dataset import Split
from edgekit.models import ModelSpec, build_model
from edgekit.models.surgery.groups import ChannelGraph
from edgekit.pruning import METHODS, Budget, make_method
from edgekit.pruning.method import PruningMethod
from edgekit.training import Hook, Recipe, Trainer
from edgekit.training.hooks import Training
from runtime.bundle import ImageSpec
from tests.benchmarks._table import show, write_report

LIMIT = 0.05  # of a step's time
BATCH = 128
_WARM = 4  # pairs
_DRAWS = 1000  # for the interval


@dataclass
class EveryOther(Hook):
    """Lets a method act in every other step; keeps each step's processor time, and the method's of it."""

    method: PruningMethod
    times_s: list[float] = field(default_factory=list)
    own_s: list[float] = field(default_factory=list)
    _begin_s: float = 0.0

    def prepare(self, model: torch.nn.Module) -> None:
        self.method.prepare(model)

    def on_train_begin(self, run: Training) -> None:
        self.method.on_train_begin(run)

    def on_step_begin(self, run: Training) -> None:
        self._begin_s = time.process_time()
        self.own_s.append(0.0)
        self._act("on_step_begin", run)

    def on_backward_end(self, run: Training) -> None:
        self._act("on_backward_end", run)

    def on_step_end(self, run: Training) -> None:
        self._act("on_step_end", run)
        self.times_s.append(time.process_time() - self._begin_s)

    def _act(self, moment: str, run: Training) -> None:
        begin_s = time.process_time()
        if run.step % 2:
            getattr(self.method, moment)(run)
        self.own_s[-1] += time.process_time() - begin_s


def measure(name: str, image_size: int, pairs: int) -> dict[str, Any]:
    """Return the row of a method: a step's time with it by that without, and a 95 % interval."""
    torch.manual_seed(0)
    model = build_model(ModelSpec("resnet20", image_size=image_size, num_classes=10))
    example = torch.zeros(1, 3, image_size, image_size)
    groups = ChannelGraph(model, example).groups("inside")
    budget = Budget(macs=0.5, round_to=4)
    hook = EveryOther(make_method(name, groups, budget.allocation(model, example), {}))
    dataset = _noise(image_size, BATCH * 2 * (_WARM + pairs))
    trainer = Trainer(model, Recipe(epochs=1, batch_size=BATCH, device="cpu", augment=False), [hook])
    with tempfile.TemporaryDirectory() as folder:
        trainer.fit(dataset, Path(folder), identity={}, progress=False)
    times_s, own_s = (np.array(times).reshape(-1, 2)[_WARM:] for times in (hook.times_s, hook.own_s))
    share = float(np.median(own_s[:, 1] / times_s[:, 0]))
    ratios = list(times_s[:, 1] / times_s[:, 0])
    draw = random.Random(0)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(_DRAWS))
    return {
        "method": name,
        "image_size": image_size,
        "step_ms": round(1000 * statistics.median(times_s[:, 0]), 1),
        "own_ms": round(1000 * float(np.median(own_s[:, 1])), 2),
        "share": round(share, 4),
        "ratio": round(statistics.median(ratios), 4),
        "interval": (round(medians[_DRAWS // 40], 4), round(medians[-_DRAWS // 40], 4)),
        "holds": share < LIMIT,
    }


def _noise(image_size: int, count: int) -> Dataset:
    rng = np.random.default_rng(0)
    image = ImageSpec(size=image_size, resize=image_size, mean=(0.5,) * 3, std=(0.25,) * 3)
    pixels = rng.integers(0, 256, (count, image_size, image_size, 3), dtype=np.uint8)
    split = Split(pixels, rng.integers(0, 10, count), image)
    return Dataset("noise", split, split.part(np.arange(10)), [str(i) for i in range(10)], image)


@click.command(help=__doc__)
@click.option(
    "--method", "methods", multiple=True, default=("increg", "spp"), type=click.Choice(list(METHODS))
)
@click.option("--image-size", "sizes", multiple=True, type=int, default=(16, 32))
@click.option("--pairs", type=int, default=40, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(methods, sizes, pairs, json_path) -> None:
    torch.set_num_threads(1)
    rows = [measure(name, size, pairs) for size in sizes for name in methods]
    columns = ("method", "image_size", "step_ms", "own_ms", "share", "ratio", "interval", "holds")
    show({name: name for name in columns}, rows)
    summary = {f"{row['method']}@{row['image_size']}": row["share"] for row in rows}
    write_report(json_path, "hook_cost", rows, summary)


if __name__ == "__main__":
    main()
