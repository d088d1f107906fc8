"""Mixup and CutMix: what the inner loss is given."""

from types import SimpleNamespace

import pytest
import torch

from edgekit.tasks import Batch
from edgekit.training import Recipe
from edgekit.training.techniques.mixing import CutMix, Mixup

INPUTS = torch.arange(8.0).reshape(8, 1, 1, 1).expand(8, 3, 10, 10)  # image i is i everywhere
LABELS = torch.arange(8)


class Seen:
    """An inner loss that keeps what it gets."""

    def losses(self, run, batch):
        self.inputs, self.targets = batch
        return {"seen": torch.zeros(())}


def mixed(technique, step=0):
    run = SimpleNamespace(recipe=Recipe(), step=step, dataset=SimpleNamespace(labels=list(range(8))))
    seen = Seen()
    technique.objective(seen).losses(run, Batch(INPUTS, LABELS))
    return seen


def test_mixup_adds_images_as_it_adds_labels():
    seen = mixed(Mixup(1.0))
    assert (seen.targets @ torch.arange(8.0)).tolist() == pytest.approx(seen.inputs[:, 0, 0, 0].tolist())
    torch.testing.assert_close(seen.targets.sum(1), torch.ones(8))
    assert (seen.targets > 0).sum(1).max() == 2
    assert 0 < seen.targets.max(1).values.min() < 1


def test_cutmix_pastes_a_box_and_counts_its_pixels():
    pasted = 0
    for step in range(20):
        seen = mixed(CutMix(), step)
        for index, (image, target) in enumerate(zip(seen.inputs, seen.targets, strict=True)):
            for label in range(8):
                share = (image[0] == label).float().mean().item()
                assert target[label].item() == pytest.approx(share, abs=1e-6)
            pasted += bool(target[index] < 1)
            other = image[0] != index
            rows, columns = other.any(1).sum(), other.any(0).sum()
            assert other.sum() == rows * columns  # one rectangle
    assert pasted > 80


def test_the_inputs_are_left_alone_and_steps_differ():
    first, again, later = (mixed(Mixup(1.0), step).inputs for step in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, later)
    assert torch.equal(INPUTS[:, 0, 0, 0], torch.arange(8.0))


def test_a_net_learns_from_mixed_images(fit):
    assert fit({"mixup": {}}, epochs=8, lr=0.2).log[-1]["test_top1"] > 0.9
