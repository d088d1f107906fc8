"""A task of one's own learns from a user's masks, moved and coloured."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from edgekit.data import load_dataset
from edgekit.tasks import Task
from edgekit.training import Recipe, Trainer, make_techniques
from tests.edgekit.data.own.pictures import write_masks


@dataclass(frozen=True)
class Squares(Task):
    name: ClassVar[str] = "squares"
    metric: ClassVar[str] = "iou"

    def losses(self, net, batch):
        return {"pixels": F.cross_entropy(net(batch.inputs), batch.targets["mask"].long(), ignore_index=255)}

    def decode(self, outputs, targets):
        return outputs[0].argmax(1)

    def score(self, results, truths):
        found, true = np.stack(results) == 1, np.stack([truth["mask"] for truth in truths]) == 1
        return float((found & true).sum() / (found | true).sum())


def test_a_users_masks_are_learnt_with_moves_and_readers(tmp_path):
    data = load_dataset("mask-folder", root=write_masks(tmp_path / "data", 20), image_size=32)
    recipe = Recipe(
        epochs=10, batch_size=8, device="cpu", optimizer="adamw", lr=0.05, workers=1, temperature_epochs=0,
        use={"affine": {}, "jitter": {}},
    )  # fmt: skip
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1))
    trainer = Trainer(net, recipe, task=Squares(), techniques=make_techniques(recipe, data))
    log = trainer.fit(data, tmp_path, identity={}, progress=False)
    assert log[-1]["test_iou"] > 0.8
