"""EMA, the best epoch, clipping, and statistics estimated anew."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from edgekit.training import Hook, Trainer, evaluate, reestimate_batch_norm
from edgekit.training.techniques.best import Best
from edgekit.training.techniques.clip import Clip
from tests.edgekit.training.nets import tiny_net
from tests.edgekit.training.techniques.tiny import RECIPE


class Watch(Hook):
    """Keeps a weight after each step and each epoch, and the gradients' length before each step."""

    def __init__(self):
        self.steps, self.epochs, self.lengths = [], [], []

    def on_backward_end(self, run):
        self.lengths.append(torch.cat([p.grad.flatten() for p in run.model.parameters()]).norm().item())

    def on_step_end(self, run):
        self.steps.append(run.model[0].weight.clone())

    def on_epoch_end(self, run):
        self.epochs.append(copy.deepcopy(run.model).eval())


def test_the_average_is_kept_and_training_goes_on_from_the_weights(fit):
    averaged, plain = Watch(), Watch()
    kept = fit({"ema": {"decay": 0.9}}, hooks=[averaged])
    fit(hooks=[plain])
    assert all(torch.equal(a, b) for a, b in zip(averaged.steps, plain.steps, strict=True))
    expected = tiny_net()[0].weight.detach()
    for step, weight in enumerate(plain.steps):
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weight
    torch.testing.assert_close(kept.model[0].weight.detach(), expected)


def test_the_average_is_what_is_tested(fit, toy_data):
    trainer = fit({"ema": {"decay": 0.5}})
    assert trainer.log[-1]["test_top1"] == evaluate(trainer.model, toy_data.test)


class Spoil(Hook):
    """Makes the net useless in its last epoch."""

    def on_epoch_end(self, run):
        if run.epoch == 3:
            run.model[6].weight.mul_(-1)


def test_the_best_epoch_on_images_set_apart_is_kept(fit):
    trainer = fit({"best": {"share": 0.25}}, hooks=[Spoil()], epochs=4, lr=0.2)
    scores = [line["validation_top1"] for line in trainer.log]
    assert max(scores) > scores[-1]
    assert len(trainer.dataset.train) == 48
    (technique,) = trainer.techniques
    apart = technique.keeper.validation
    assert sorted(apart.labels.tolist()) == [0] * 8 + [1] * 8
    assert evaluate(trainer.model, apart) == max(scores)


def test_where_a_plan_is_of_the_last_epoch_no_other_one_is_kept(tmp_path, toy_data):
    best = Best(share=0.25)
    best.keep_last_epoch()
    recipe = replace(RECIPE, lr=0.2)
    trainer = Trainer(tiny_net(), recipe, [Spoil()], techniques=[best])
    log = trainer.fit(toy_data, tmp_path, identity={}, progress=False)
    assert evaluate(trainer.model, best.keeper.validation) == log[-1]["validation_top1"]
    assert log[-1]["validation_top1"] < max(line["validation_top1"] for line in log)


def test_images_set_apart_are_not_trained_on(fit, toy_data):
    trainer = fit({"best": {"share": 0.25}}, epochs=1)
    (technique,) = trainer.techniques
    apart, kept = (
        {image.tobytes() for image in split.images[range(len(split))]}
        for split in (technique.keeper.validation, trainer.dataset.train)
    )
    assert not apart & kept
    assert len(apart | kept) == 64


def test_gradients_are_clipped_together(fit):
    plain, clipped = Watch(), Watch()
    fit(hooks=[plain], epochs=1)
    norm = min(plain.lengths) / 2
    fit(hooks=[*Clip(norm).hooks(), clipped], epochs=1)
    assert clipped.lengths == pytest.approx([norm] * len(clipped.lengths), rel=1e-4)


def test_accumulated_steps_are_the_steps_of_larger_batches(fit):
    def weights(**changes):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
        return fit(net=net, epochs=2, augment=False, **changes).model[1].weight

    torch.testing.assert_close(weights(batch_size=16, accumulate=2), weights(batch_size=32))


def test_statistics_are_estimated_anew_at_the_end(fit):
    plain, anew = fit(), fit({"reestimate": {"images": 64}})
    assert torch.equal(plain.model[0].weight, anew.model[0].weight)
    assert not torch.equal(plain.model[1].running_var, anew.model[1].running_var)
    reestimate_batch_norm(plain.model, plain.dataset.train, images=64)
    torch.testing.assert_close(plain.model[1].running_var, anew.model[1].running_var)
