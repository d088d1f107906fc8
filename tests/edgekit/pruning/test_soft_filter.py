import pytest
import torch

from edgekit.models import count_macs
from edgekit.models.surgery.groups import ChannelGraph
from edgekit.models.surgery.removal import physically_remove
from edgekit.nn import DynamicConv2d
from edgekit.pruning import METHODS, Budget
from edgekit.pruning.filters import filter_norms, smallest
from edgekit.pruning.psfp import ProgressiveSoftFilterPruning, progressive_rate
from edgekit.pruning.sfp import SoftFilterPruning
from edgekit.training import Hook
from tests.edgekit.pruning.nets import EXAMPLE, HALF, Run, method_for, one_group, small_model, train


def zeros_of(run, method):
    return [int((filter_norms(run.model, group) == 0).sum()) for group in method.groups]


class Watch(Hook):
    """Counts the zero filters at every moment of interest; comes after the method among the hooks."""

    def __init__(self, method):
        self.method = method
        self.at_begin, self.after_step, self.after_epoch = None, [], []

    def on_train_begin(self, run):
        self.at_begin = zeros_of(run, self.method)

    def on_step_end(self, run):
        self.after_step.append(zeros_of(run, self.method))

    def on_epoch_end(self, run):
        self.after_epoch.append(zeros_of(run, self.method))


def watched(toy_data, folder, kind, budget=HALF):
    model = small_model()
    method = method_for(model, kind, budget)
    watch = Watch(method)
    train(model, [method, watch], folder, toy_data)
    return method, watch, model


@pytest.mark.parametrize(
    ("progress", "share"), [(0, 0.0), (1 / 16, 0.5), (1 / 8, 0.75), (1 / 4, 0.9375), (1, 1.0)]
)
def test_progressive_rate_goes_through_the_papers_points(progress, share):
    assert progressive_rate(0.3, progress) == pytest.approx(0.3 * share, abs=1e-4)


def test_progressive_rate_is_complete_from_half_way_on():
    method = ProgressiveSoftFilterPruning(*one_group(8, 4))
    assert [method.share_at(epoch, 16) for epoch in (8, 12, 16)] == [1.0] * 3
    assert method.share_at(4, 16) == progressive_rate(1.0, 0.25) < 1.0


def test_sfp_zeroes_after_every_epoch_what_rounding_leaves_to_remove(tmp_path, toy_data):
    method, watch, _ = watched(toy_data, tmp_path, SoftFilterPruning, Budget(rate=0.4, round_to=4))
    channels = [group.channels for group in method.groups]
    # Of 8, 16 and 32 channels 40 % are 3, 6 and 12; multiples of 4 stay.
    expected = [{8: 0, 16: 4, 32: 12}[n] for n in channels]
    assert watch.at_begin == [0] * len(channels)
    assert watch.after_epoch == [expected] * 3


def test_psfp_zeroes_its_share_of_what_goes(tmp_path, toy_data):
    method, watch, _ = watched(toy_data, tmp_path, ProgressiveSoftFilterPruning)
    going = [method.counts[group.name] for group in method.groups]
    assert watch.after_epoch == [[int(n * method.share_at(t, 3)) for n in going] for t in (1, 2, 3)]
    assert 0 < sum(watch.after_epoch[0]) < sum(watch.after_epoch[2])


def test_zeroed_filters_grow_again_whatever_the_shift_behind_them(tmp_path, toy_data):
    """Behind ReLU a shift below zero lets no gradient through; momentum does it."""
    method, watch, _ = watched(toy_data, tmp_path, SoftFilterPruning)
    none = [0] * len(method.groups)
    assert sum(watch.after_epoch[0]) > 0
    assert [watch.after_step[step] for step in (4, 8)] == [none] * 2  # four steps per epoch
    assert len(method.report()["revived"]) == 2
    assert min(method.report()["revived"]) > 0.9


def test_which_filters_are_zeroed_may_change_between_epochs():
    run = Run([[4.0], [1.0], [3.0], [2.0]])
    method = SoftFilterPruning(*one_group(4, 2))
    method.prepare(run.model)
    method.on_train_begin(run)

    def zeroed(rows):
        run.model.conv.weight.data = torch.tensor(rows).reshape(4, 1, 1, 1)
        method.on_epoch_end(run)
        return torch.nonzero(run.model.conv.weight.flatten() == 0).flatten().tolist()

    assert zeroed([4.0, 1.0, 3.0, 2.0]) == [1, 3]
    assert zeroed([4.0, 5.0, 3.0, 2.0]) == [2, 3]


def test_the_macs_of_the_compact_network_are_those_of_its_widths(tmp_path, toy_data):
    """A block has 9 HW (C_in + C_out) C_inside; at half, the inside of each is half as wide."""
    method, _, model = watched(toy_data, tmp_path, SoftFilterPruning)
    compact = physically_remove(model, method.plan, torch.rand(2, 1, 8, 8))
    before, after = (count_macs(net, (1, 8, 8)) for net in (model, compact))
    inside, side = 0, 8
    for block in (block for stage in model.stages for block in stage):
        conv1, conv2 = block.conv1.conv, block.conv2.conv
        side //= conv1.stride[0]
        inside += 9 * side**2 * conv1.out_channels * (conv1.in_channels + conv2.out_channels)
    assert after == before - inside // 2


def test_the_share_of_revived_filters_is_in_the_log(tmp_path, toy_data):
    model = small_model()
    method = method_for(model, SoftFilterPruning)
    from edgekit.training import Trainer
    from tests.edgekit.pruning.nets import RECIPE

    log = Trainer(model, RECIPE, [method]).fit(toy_data, tmp_path, identity={}, progress=False)
    assert ["revived" in line for line in log] == [False, True, True]
    assert [line["revived"] for line in log[1:]] == method.report()["revived"]


def test_filters_that_stay_zero_are_told():
    run = Run(torch.ones(4, 2))
    method = SoftFilterPruning(*one_group(4, 2))
    method.prepare(run.model)
    method.on_train_begin(run)
    for _ in range(2):  # nothing trains between the two
        method.on_epoch_end(run)
    assert method.report() == {"revived": [0.0]}


@pytest.mark.parametrize("kind", [SoftFilterPruning, ProgressiveSoftFilterPruning])
def test_no_filter_of_the_compact_network_is_zero(tmp_path, toy_data, kind):
    method, _, model = watched(toy_data, tmp_path, kind, Budget(rate=0.45, round_to=4))
    for name, indices in method.plan.items():
        group = next(group for group in method.groups if group.name == name)
        assert (filter_norms(model, group)[list(indices)] == 0).all()
    compact = physically_remove(model, method.plan, torch.rand(2, 1, 8, 8))
    for group in ChannelGraph(compact, EXAMPLE).groups():
        assert filter_norms(compact, group).min() > 0


def test_the_smallest_scores_come_first_and_of_equal_ones_the_first():
    assert smallest(torch.tensor([3.0, 1.0, 2.0, 0.5]), 2) == (1, 3)
    assert smallest(torch.tensor([1.0, 1.0, 1.0]), 1) == (0,)
    assert smallest(torch.tensor([3.0, 1.0]), 0) == ()


def test_a_dynamic_filter_is_all_of_its_kernels():
    run = Run(torch.ones(2, 1))
    run.model.conv = DynamicConv2d(1, 2, 1, kernels=2)
    with torch.no_grad():
        run.model.conv.weight.copy_(torch.tensor([[3.0, 1.0], [4.0, 1.0]]).reshape(2, 2, 1, 1, 1))
    (group,), _ = one_group(2, 1)
    assert filter_norms(run.model, group).tolist() == pytest.approx([5.0, 2**0.5])


def test_all_methods_are_known_by_name():
    assert {"sfp", "psfp", "asfp", "one-shot", "random"} <= set(METHODS)
