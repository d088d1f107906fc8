"""Small networks, groups and runs that the tests of pruning methods share."""

import torch
from torch import nn

from edgekit.models import ModelSpec, build_model
from edgekit.models.surgery.groups import ChannelGraph, ChannelGroup, Removal
from edgekit.pruning import Budget
from edgekit.training import Recipe, Trainer

EXAMPLE = torch.zeros(1, 1, 8, 8)
RECIPE = Recipe(epochs=3, batch_size=16, device="cpu", lr=0.01)  # toy_data makes 4 steps an epoch of it
HALF = Budget(rate=0.5, round_to=4)


def small_model(**options):
    """Return a narrow ResNet-20, dynamic convolutions included, as after training: no shift of 0 is left."""
    torch.manual_seed(0)
    spec = ModelSpec("resnet20", num_classes=2, width=0.5, image_size=8, in_channels=1, **options)
    model = build_model(spec)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias, std=0.1)
    return model


def method_for(model, kind, budget=HALF, **options):
    groups = ChannelGraph(model, EXAMPLE).groups(budget.scope)
    method = kind(groups, budget.allocation(model, EXAMPLE), **options)
    method.prepare(model)
    return method


def train(model, hooks, folder, data, **fit):
    trainer = Trainer(model, fit.pop("recipe", RECIPE), hooks)
    trainer.fit(data, folder, identity={}, progress=False, **fit)
    return trainer


def one_group(channels, removed):
    """Return a group of a bare convolution called ``conv``, and an allocation that removes some of it."""

    class Fixed:
        def counts(self, groups, scores):
            return {"conv": removed}

    parts = (Removal("conv", True, tuple(range(channels))),)
    return [ChannelGroup("conv", channels, ("conv",), parts)], Fixed()


class Run:
    """What a method sees of a training, without one: a bare convolution called ``conv``."""

    def __init__(self, rows, recipe=RECIPE, steps_per_epoch=10):
        weight = torch.as_tensor(rows, dtype=torch.float32)
        self.model = nn.Sequential()
        self.model.add_module("conv", nn.Conv2d(weight.shape[1], len(weight), 1, bias=False))
        self.model.conv.weight.data = weight.reshape(*weight.shape, 1, 1)
        self.model.requires_grad_(False)  # a training calls its hooks under no_grad
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.recipe, self.steps_per_epoch = recipe, steps_per_epoch
        self.epoch = self.step = 0
        self.device = torch.device("cpu")


def same_bits(first, second):
    """Say which tensors of two networks differ in any bit."""
    other = second.state_dict()
    return [name for name, tensor in first.state_dict().items() if not torch.equal(tensor, other[name])]
