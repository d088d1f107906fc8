import pytest
import torch

from edgekit.models.surgery.groups import ChannelGraph
from edgekit.pruning.regularised import (
    GroupNormPruning,
    GrowingRegularisation,
    group_norms,
    unimportance,
    weights_of,
)
from tests.edgekit.pruning.nets import EXAMPLE, Run, method_for, one_group, same_bits, small_model, train


def test_unimportance_goes_from_the_most_to_the_least_important():
    assert unimportance(torch.tensor([3.0, 1.0, 2.0])).tolist() == [0.0, 1.0, 0.5]
    assert unimportance(torch.ones(3)).tolist() == [0.0] * 3


def gradient_of(kind, steps=1, **options):
    run = Run([[3.0], [1.0], [2.0]])
    method = kind(*one_group(3, 1), **options)
    method.decide(run.model)
    method.on_train_begin(run)
    for run.step in range(steps):
        run.model.conv.weight.grad = torch.zeros_like(run.model.conv.weight)
        method.on_backward_end(run)
    return run.model.conv.weight.grad.flatten().tolist()


def test_group_norm_shrinks_the_least_important_channel_alpha_times_more():
    assert gradient_of(GroupNormPruning, reg=0.1, alpha=4.0) == pytest.approx([0.1 * 3, 0.4 * 1, 0.2 * 2])


def test_growing_reg_grows_every_few_steps():
    assert gradient_of(GrowingRegularisation, reg=0.1, delta=0.5, every=4) == pytest.approx([0.3, 0.1, 0.2])
    # Grown twice, by nothing, by delta, and by half of it.
    grown = gradient_of(GrowingRegularisation, steps=8, reg=0.1, delta=0.5, every=4)
    assert grown == pytest.approx([0.1 * 3, 1.1 * 1, 0.6 * 2])


def test_a_channels_norm_is_of_what_makes_and_what_reads_it():
    model = small_model(dynamic_conv="pointwise")
    groups = ChannelGraph(model, EXAMPLE).groups("all")
    conv1 = next(group for group in groups if group.name == "stages.0.0.conv1.conv")
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = [(names[id(weight)].removeprefix("stages.0.0."), dim) for weight, dim in weights_of(model, conv1)]
    assert found == [("conv1.conv.weight", 0), ("conv1.bn.weight", 0), ("conv2.conv.weight", 1)]
    block = model.stages[0][0]
    squares = block.conv1.conv.weight[0].pow(2).sum() + block.conv1.bn.weight[0] ** 2
    squares = squares + block.conv2.conv.weight[:, 0].pow(2).sum()
    assert group_norms(model, conv1)[0].item() == pytest.approx(squares.sqrt().item(), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "options"),
    [(GroupNormPruning, {"reg": 0.0}), (GrowingRegularisation, {"reg": 0.0, "delta": 0.0})],
)
def test_no_regularisation_is_plain_training_to_the_bit(kind, options, tmp_path, toy_data):
    plain, same = small_model(), small_model()
    train(plain, [], tmp_path, toy_data)
    train(same, [method_for(same, kind, **options)], tmp_path, toy_data)
    assert same_bits(plain, same) == []


@pytest.mark.parametrize(
    ("kind", "options"), [(GroupNormPruning, {"alpha": 0.5}), (GrowingRegularisation, {"every": 0})]
)
def test_options_out_of_range_are_refused(kind, options):
    with pytest.raises(ValueError, match=r"alpha 0\.5|every 0"):
        kind(*one_group(3, 1), **options)
