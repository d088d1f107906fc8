import pytest
import torch

from edgekit.models import ModelSpec, build_model
from edgekit.models.surgery.groups import ChannelGraph, PrunableConv
from edgekit.nn import DynamicConv2d
from edgekit.pruning import (
    METHODS,
    OneShotPruning,
    ProgressiveSoftFilterPruning,
    SoftFilterPruning,
    progressive_rate,
)
from edgekit.pruning.one_shot import filter_norms, smallest_filters
from edgekit.training import Hook, Recipe, Trainer

EXAMPLE = torch.zeros(1, 1, 8, 8)
RECIPE = Recipe(epochs=3, batch_size=16, device="cpu", lr=0.01)


def small_model():
    torch.manual_seed(0)
    return build_model(
        ModelSpec("resnet20", num_classes=2, width=0.5, image_size=8, in_channels=1, dynamic_conv="pointwise")
    )


def zero_filters_of(trainer, convs):
    return [int((filter_norms(trainer.model.get_submodule(c.name)) == 0).sum()) for c in convs]


class Watch(Hook):
    """Counts the zero filters at every moment of interest; comes after the method among the hooks."""

    def __init__(self, convs):
        self.convs = convs
        self.at_begin, self.after_step, self.after_epoch = None, [], []

    def on_train_begin(self, trainer):
        self.at_begin = zero_filters_of(trainer, self.convs)

    def on_step_end(self, trainer):
        self.after_step.append(zero_filters_of(trainer, self.convs))

    def on_epoch_end(self, trainer):
        self.after_epoch.append(zero_filters_of(trainer, self.convs))


def run(toy_data, folder, kind, rate=0.4):
    model = small_model()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # As after training: a constant above 0 keeps the gate of ReLU open behind a zeroed filter.
            torch.nn.init.constant_(module.bias, 0.1)
    convs = ChannelGraph(model, EXAMPLE).block_internal()
    hook, watch = kind(rate, convs), Watch(convs)
    Trainer(model, RECIPE, [hook, watch]).fit(toy_data, folder, identity={}, progress=False)
    return hook, watch, [c.channels for c in convs]


@pytest.mark.parametrize(
    ("progress", "share"), [(0, 0.0), (1 / 16, 0.5), (1 / 8, 0.75), (1 / 4, 0.9375), (1, 1.0)]
)
def test_progressive_rate_goes_through_the_papers_points(progress, share):
    assert progressive_rate(0.3, progress) == pytest.approx(0.3 * share, abs=1e-4)


def test_progressive_rate_is_complete_from_half_way_on():
    method = ProgressiveSoftFilterPruning(0.5, [])
    assert [method.rate_at(epoch, 16) for epoch in (8, 12, 16)] == [0.5] * 3
    assert method.rate_at(4, 16) == progressive_rate(0.5, 0.25) < 0.5


def test_sfp_zeroes_the_same_share_from_the_start(tmp_path, toy_data):
    _, watch, channels = run(toy_data, tmp_path, SoftFilterPruning)
    expected = [int(n * 0.4) for n in channels]
    assert watch.at_begin == expected
    assert watch.after_epoch == [expected] * 3


def test_psfp_zeroes_int_of_channels_times_its_rate(tmp_path, toy_data):
    _, watch, channels = run(toy_data, tmp_path, ProgressiveSoftFilterPruning)
    assert watch.at_begin == [0] * len(channels)
    assert watch.after_epoch == [[int(n * progressive_rate(0.4, t / 3)) for n in channels] for t in (1, 2, 3)]
    assert sum(watch.after_epoch[0]) > 0


def test_zeroed_filters_grow_again_with_the_next_step(tmp_path, toy_data):
    _, watch, channels = run(toy_data, tmp_path, SoftFilterPruning)
    none = [0] * len(channels)
    assert sum(watch.at_begin) > 0
    assert [watch.after_step[step] for step in (0, 4, 8)] == [none] * 3  # four steps per epoch


def test_one_shot_zeroes_nothing_and_chooses_at_the_end(tmp_path, toy_data):
    hook, watch, channels = run(toy_data, tmp_path, OneShotPruning)
    assert watch.after_epoch == [[0] * len(channels)] * 3
    assert [len(indices) for indices in hook.plan.values()] == [8] * 3  # of 32; 16 and 8 keep all at 40 %


def test_the_plan_names_zeroed_filters(tmp_path, toy_data):
    model = small_model()
    convs = ChannelGraph(model, EXAMPLE).block_internal()
    hook = ProgressiveSoftFilterPruning(0.4, convs)
    Trainer(model, RECIPE, [hook]).fit(toy_data, tmp_path, identity={}, progress=False)
    for name, indices in hook.plan.items():
        assert (filter_norms(model.get_submodule(name))[list(indices)] == 0).all()


def test_the_smallest_filters_are_those_of_least_norm():
    conv = torch.nn.Conv2d(1, 4, 1, bias=False)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([3.0, -1.0, 2.0, -0.5]).reshape(4, 1, 1, 1))
    assert smallest_filters(conv, 2) == (1, 3)
    assert smallest_filters(conv, 0) == ()


def test_a_dynamic_filter_is_all_of_its_kernels():
    conv = DynamicConv2d(1, 2, 1, kernels=2)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([[3.0, 1.0], [4.0, 1.0]]).reshape(2, 2, 1, 1, 1))
    assert filter_norms(conv).tolist() == pytest.approx([5.0, 2**0.5])


@pytest.mark.parametrize("kind", ["sfp", "psfp", "asfp", "one-shot"])
@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, float("nan")])
def test_rates_out_of_range_are_refused(kind, rate):
    with pytest.raises(ValueError, match="it must be above 0 and below 1"):
        METHODS.get(kind)(rate, [PrunableConv("conv", 8)])


def test_rounding_to_nothing_is_refused():
    with pytest.raises(ValueError, match="round_to is 0"):
        SoftFilterPruning(0.3, [], round_to=0)
