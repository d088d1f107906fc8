"""A program that trains in two processes, for tests: DDP starts it a second time.

``python -m tests.edgekit.training.two_processes FOLDER CASES.json``: every process trains all cases and
writes what it came to, by case, into ``FOLDER/RANK.json``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from edgekit.data import Dataset, Split
from edgekit.models.surgery.groups import ChannelGraph
from edgekit.pruning import Budget, make_method
from edgekit.training import Recipe, Trainer, make_techniques
from runtime.bundle import ImageSpec
from runtime.errors import TrainingError

RECIPE = Recipe(epochs=2, batch_size=8, device="cpu", devices=2, lr=0.02, warmup_epochs=0)
EXAMPLE = torch.zeros(1, 1, 8, 8)


def dataset() -> Dataset:
    image = ImageSpec(8, 8, (0.5,), (0.25,), channels=1)
    rng = np.random.default_rng(0)
    labels = np.arange(48) % 2
    pixels = rng.integers(0, 120, (48, 8, 8, 1), dtype=np.uint8)
    pixels[labels == 1] += 100
    split = Split(pixels, labels, image)
    return Dataset("toy", split, split, ["dark", "light"], image)


def network() -> nn.Module:
    torch.manual_seed(0)
    body = [(1, 16), (16, 16), (16, 16)]
    layers = [layer for sizes in body for layer in (nn.Conv2d(*sizes, 3), nn.BatchNorm2d(16), nn.ReLU())]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2))


def run(case: dict, folder: Path) -> dict:
    """Train as ``case`` says: ``method``, ``task``, changes of the ``recipe``; return what came out."""
    data, recipe = dataset(), replace(RECIPE, **case.get("recipe", {}))
    model, hooks, task = network(), [], None
    if "task" in case:
        from tests.edgekit.training.split_tasks import make_task

        task, model, data = make_task(case["task"], data)
    if "method" in case:
        allocation = Budget(rate=0.5, round_to=4).allocation(model, EXAMPLE)
        hooks = [make_method(case["method"], ChannelGraph(model, EXAMPLE).groups(), allocation, {})]
    trainer = Trainer(model, recipe, hooks, task, make_techniques(recipe, data))
    try:
        log = trainer.fit(data, folder, identity={}, progress=False)
    except TrainingError as err:
        return {"error": str(err)}
    states = {f"{i}/{n}": t for i, hook in enumerate(trainer.hooks) for n, t in hook.state_dict().items()}
    scores = [{key: line[key] for key in line if key != "duration_s"} for line in log]
    return {
        "weights": sha256(trainer.trained().state_dict()),
        "states": sha256(states),
        "plan": [hook.plan for hook in hooks],
        "scores": scores,
    }


def sha256(tensors: Mapping[str, torch.Tensor]) -> str:
    """Return a hash of all bits of ``tensors``."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].detach().contiguous().numpy().tobytes())
    return digest.hexdigest()


def main(folder: Path, cases: dict) -> None:
    found = {}
    for name, case in cases.items():
        (folder / name).mkdir(exist_ok=True)
        found[name] = run(case, folder / name)
    rank = torch.distributed.get_rank()
    (folder / f"{rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))
