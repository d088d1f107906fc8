"""Filter grafting, alone and with a teacher (DGD)."""

import copy
import math

import pytest
import torch
from torch import nn

from edgekit.training import Hook
from edgekit.training.techniques.grafting import entropy, graft, own_share
from tests.edgekit.training.nets import tiny_net

FLAT, UNEVEN = torch.linspace(0, 1, 1000), torch.cat([torch.zeros(900), torch.linspace(0, 1, 100)])


def test_the_entropy_is_that_of_ten_bins():
    assert entropy(FLAT) == pytest.approx(math.log(10), abs=1e-3)
    assert entropy(torch.tensor([0.0, 0.0, 0.0, 1.0])) == pytest.approx(
        0.25 * math.log(4) + 0.75 * math.log(4 / 3)
    )
    assert entropy(torch.full((5,), 0.3)) == 0
    assert entropy(torch.tensor([0.0, 1.0])) == pytest.approx(math.log(2))  # the largest is in the last bin


@pytest.mark.parametrize(
    ("own", "other", "share"), [(FLAT, FLAT, 0.5), (FLAT, UNEVEN, 0.7), (UNEVEN, FLAT, 0.3)]
)
def test_the_share_follows_the_entropies(own, other, share):
    assert own_share(own, other, 0.4, 500.0) == share


def test_the_share_is_the_codes_formula():
    difference = entropy(FLAT) - entropy(UNEVEN)
    assert own_share(FLAT, UNEVEN, 0.4, 1.0) == round(0.4 / math.pi * math.atan(difference) + 0.5, 2)
    assert own_share(FLAT, UNEVEN, 0.4, 1.0) + own_share(UNEVEN, FLAT, 0.4, 1.0) == pytest.approx(1)


def nets(count):
    made = [tiny_net() for _ in range(count)]
    for index, net in enumerate(made):
        torch.manual_seed(index)
        for parameter in net.parameters():
            nn.init.normal_(parameter)
        nn.init.uniform_(net[1].running_var)
    return made


def test_a_ring_takes_from_what_the_others_were_before():
    before = nets(3)
    after = [copy.deepcopy(net) for net in before]
    with torch.no_grad():
        graft(after, 0.4, 500.0)
    for index in range(3):
        own, other, now = (n.state_dict() for n in (before[index], before[index - 1], after[index]))
        share = own_share(own["0.weight"], other["0.weight"], 0.4, 500.0)
        for name in ("0.weight", "1.weight", "1.running_var", "6.weight"):  # what follows takes its share
            torch.testing.assert_close(now[name], share * own[name] + (1 - share) * other[name])
        assert torch.equal(now["1.num_batches_tracked"], own["1.num_batches_tracked"])


def test_weak_filters_come_back():
    """Two nets, half of whose filters are worn down: in one the first, in the other the last."""
    both = nets(2)
    with torch.no_grad():
        both[0][0].weight[:2] *= 1e-3
        both[1][0].weight[2:] *= 1e-3

    def weak(net):
        return int((net[0].weight.abs().sum((1, 2, 3)) < 0.1).sum())

    assert [weak(net) for net in both] == [2, 2]
    with torch.no_grad():
        graft(both, 0.4, 500.0)
    assert [weak(net) for net in both] == [0, 0]


def test_equal_nets_stay_as_they_are():
    first = nets(1)[0]
    both = [first, copy.deepcopy(first)]
    with torch.no_grad():
        graft(both, 0.4, 500.0)
    assert all(torch.equal(a, b) for a, b in zip(both[0].parameters(), nets(1)[0].parameters(), strict=True))


class Watch(Hook):
    def on_train_begin(self, run):
        self.start = [copy.deepcopy(net) for net in run.model.nets]

    def on_step_begin(self, run):
        if run.step == 1:
            self.after_one = [copy.deepcopy(net) for net in run.model.nets]

    def on_epoch_end(self, run):
        self.losses = run.model.losses.clone()


def test_other_nets_start_with_the_same_weights_in_another_order(fit):
    watch = Watch()
    fit({"grafting": {"nets": 2}}, hooks=[watch], epochs=1)
    first, second = (net[0].weight.flatten() for net in watch.start)
    assert torch.equal(first, tiny_net()[0].weight.flatten())
    assert not torch.equal(first, second)
    assert torch.equal(first.sort().values, second.sort().values)
    fit({"grafting": {"nets": 2, "redraw": False}}, hooks=[watch], epochs=1)
    assert torch.equal(*(net[0].weight for net in watch.start))


def test_copies_learn_at_their_own_rates(fit):
    """Two nets: rates are lr and lr (1 + cos(pi / 2)) / 2, the half."""

    def steps(**options):
        watch = Watch()
        plain = {"momentum": 0.0, "weight_decay": 0.0, "epochs": 1, "warmup_epochs": 0}
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
        fit({"grafting": {"nets": 2, "redraw": False, **options}}, hooks=[watch], net=net, **plain)
        return [b[1].weight - a[1].weight for a, b in zip(watch.start, watch.after_one, strict=True)]

    first, second = steps()
    torch.testing.assert_close(second, first / 2, rtol=1e-3, atol=1e-6)
    assert torch.equal(*steps(same_lr=True))


def test_the_net_of_least_loss_is_kept_and_tested(fit):
    watch = Watch()
    trainer = fit({"grafting": {"nets": 3}}, hooks=[watch])
    assert int(trainer.model.kept) == trainer.model.losses.argmin()
    assert trainer.trained() is trainer.model.nets[int(trainer.model.kept)]
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(trainer.model.eval()(x), trainer.trained()(x))
    assert trainer.log[-1]["entropy"] > 0


def test_grafting_is_not_training_apart(fit):
    grafted, apart = (fit({"grafting": {"strength": s}}, epochs=3) for s in (0.4, 0.0))
    assert not torch.equal(grafted.trained()[0].weight, apart.trained()[0].weight)


def test_every_student_learns_from_the_teacher(fit, teacher):
    """With the teacher's opinion alone (w = 1), all nets change: their divergences are in the loss."""
    watch = Watch()
    for order in (["grafting", "kd"], ["kd", "grafting"]):
        use = {"grafting": {"nets": 2}, "kd": {"teacher": str(teacher.path), "weight": 1.0}}
        fit({name: use[name] for name in order}, hooks=[watch], epochs=1)
        for before, after in zip(watch.start, watch.after_one, strict=True):
            assert not torch.equal(before[0].weight, after[0].weight)
