from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from edgekit.models import ModelSpec, count_macs
from edgekit.models.surgery.kernels import shrink_kernels
from edgekit.models.surgery.removal import physically_remove
from edgekit.pruning import Budget, Pruning, prune, train_and_prune
from edgekit.pruning.stripe import Skeleton, StripePruning, skeletons
from edgekit.training import Hook, fit_spec, load_checkpoint
from tests.edgekit.pruning.nets import HALF, RECIPE, method_for, one_group, same_bits, small_model, train

QUICK = replace(RECIPE, epochs=2)


def test_a_skeleton_of_ones_changes_nothing():
    plain, same = small_model().eval(), small_model().eval()
    method_for(same, StripePruning)
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(plain(x), same(x))
    assert len(list(skeletons(same))) == 19  # every 3x3 convolution, and no shortcut


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_with_a_skeleton_is_the_sum_of_its_stripes(kernel, stride):
    """The paper's form: each kept stripe is a 1x1 convolution whose map is shifted, then added."""
    torch.manual_seed(0)
    conv, side = nn.Conv2d(3, 4, kernel, stride, kernel // 2, bias=False), 7
    skeleton = Skeleton(conv.weight)
    with torch.no_grad():
        skeleton.stripes.copy_(torch.rand(4, kernel, kernel) * (torch.rand(4, kernel, kernel) > 0.4))
        parametrize.register_parametrization(conv, "weight", skeleton)
        x, weight = torch.rand(2, 3, side, side), conv.weight
        expected = torch.zeros(2, 4, side, side)
        for n, i, j in torch.nonzero(skeleton.stripes).tolist():
            stripe = torch.einsum("c,bchw->bhw", weight[n, :, i, j], x)
            down, right = i - kernel // 2, j - kernel // 2
            top, left = max(0, -down), max(0, -right)
            moved = stripe[:, max(0, down) : side - top, max(0, right) : side - left]
            expected[:, n, top : top + moved.shape[1], left : left + moved.shape[2]] += moved
        torch.testing.assert_close(conv(x), expected[:, :, ::stride, ::stride], atol=1e-5, rtol=0)


def test_alpha_zero_is_plain_training_to_the_bit(tmp_path, toy_data):
    plain, same = small_model(), small_model()
    train(plain, [], tmp_path, toy_data)
    train(same, [method_for(same, StripePruning, alpha=0.0)], tmp_path, toy_data)
    assert same_bits(plain, same) == []


def test_the_gradient_gets_alpha_times_the_sign_and_small_stripes_stay_zero(tmp_path, toy_data):
    model = small_model()
    method = method_for(model, StripePruning, alpha=0.5, delta=0.1)
    name, stripes = next(skeletons(model))
    with torch.no_grad():
        stripes[0, 0] = torch.tensor([0.05, -0.05, -0.8])
    train_run = type("Run", (), {"model": model, "recipe": RECIPE, "steps_per_epoch": 4})()
    train_run.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with torch.no_grad():
        method.on_train_begin(train_run)
        stripes.grad = torch.ones_like(stripes)
        method.on_backward_end(train_run)
    assert stripes[0, 0].tolist() == pytest.approx([0.0, 0.0, -0.8])
    assert stripes.grad[0, 0].tolist() == pytest.approx([0.0, 0.0, 0.5])
    assert stripes.grad[1, 0].tolist() == pytest.approx([1.5] * 3)
    assert name == "stem.conv"


def test_stripes_are_counted_and_become_zeros_of_the_weights(tmp_path, toy_data):
    model = small_model()
    method = method_for(model, StripePruning, alpha=1.0)
    train(model, [method], tmp_path, toy_data, recipe=replace(RECIPE, epochs=8))
    report = method.report()
    assert 0 < report["alive"] < report["stripes"]
    assert list(skeletons(model)) == []
    wide = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size == (3, 3)]
    assert sum(int((conv.weight != 0).any(1).sum()) for conv in wide) == report["alive"]


class Narrow(Hook):
    """Wears the outer rows of one kernel down, whatever the task wants."""

    def on_step_end(self, run):
        stripes = dict(skeletons(run.model))["stages.0.1.conv2.conv"]
        stripes[:, 0] = stripes[:, 2] = 0


def test_rows_that_no_filter_needs_are_cut_off(tmp_path, toy_data):
    model = small_model()
    method = method_for(model, StripePruning)
    train(model, [method, Narrow()], tmp_path, toy_data, recipe=QUICK)
    assert method.kernels == {"stages.0.1.conv2.conv": (1, 3)}
    compact = physically_remove(model, method.plan, torch.rand(2, 1, 8, 8))
    before = count_macs(compact, (1, 8, 8))
    x = torch.rand(2, 1, 8, 8)
    expected = compact(x)
    shrink_kernels(compact, method.kernels)
    assert torch.allclose(compact(x), expected, atol=1e-5)
    assert count_macs(compact, (1, 8, 8)) < before


def test_a_checkpoint_with_cut_kernels_loads_and_is_pruned_again(tmp_path, toy_data, monkeypatch):
    def worn(method, run):
        with torch.no_grad():
            Narrow().on_step_end(run)
        finalize(method, run)

    finalize = StripePruning.finalize
    monkeypatch.setattr(StripePruning, "finalize", worn)
    spec = fit_spec(ModelSpec("resnet20", width=0.5), toy_data)
    how = Pruning("stripe", Budget(rate=0.5, round_to=4), finetune_epochs=1)
    pruned = train_and_prune(spec, toy_data, QUICK, tmp_path / "once", how, progress=False)
    loaded = load_checkpoint(pruned.path)
    assert loaded.kernels == {"stages.0.1.conv2.conv": (1, 3)}
    assert loaded.build().get_submodule("stages.0.1.conv2.conv").kernel_size == (1, 3)
    again = Pruning("one-shot", Budget(rate=0.5, round_to=4), finetune_epochs=1)
    twice = prune(loaded, toy_data, tmp_path / "twice", again, progress=False)
    assert twice.kernels == loaded.kernels
    assert load_checkpoint(twice.path).build()


def test_the_strength_fits_the_run(tmp_path, toy_data):
    model = small_model()
    method = method_for(model, StripePruning)
    train(model, [method], tmp_path, toy_data, recipe=QUICK)
    report = method.report()
    assert report["alpha"] > 1e-5
    assert not report["published"]


def test_half_of_the_filters_go_where_half_is_asked(tmp_path, toy_data):
    model = small_model(dynamic_conv="pointwise")
    method = method_for(model, StripePruning, HALF)
    train(model, [method], tmp_path, toy_data, recipe=replace(QUICK, optimizer="adamw", lr=1e-3))
    assert all(len(method.plan[group.name]) == group.channels // 2 for group in method.groups)


@pytest.mark.parametrize("options", [{"alpha": -1.0}, {"delta": 1.0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=r"alpha must be 0 or more, delta in \[0, 1\)"):
        StripePruning(*one_group(4, 2), **options)
