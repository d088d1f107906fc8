"""IncReg and SPP: their formulas against values computed by hand, and what they leave alone."""

import math

import pytest
import torch

from edgekit.pruning import Budget
from edgekit.pruning.increg import PUBLISHED_A, IncrementalRegularisation
from edgekit.pruning.increment import exponential, linear, updates_needed
from edgekit.pruning.spp import ProbabilisticPruning
from edgekit.training import Recipe
from tests.edgekit.pruning.nets import RECIPE, Run, method_for, one_group, same_bits, small_model, train

ROWS = [[4.0], [1.0], [3.0], [2.0]]  # L1 norms of four filters: ranks 3, 0, 2, 1


def begun(kind, removed=2, rows=ROWS, recipe=RECIPE, steps_per_epoch=10, **options):
    run = Run(rows, recipe, steps_per_epoch)
    method = kind(*one_group(len(rows), removed), **options)
    method.prepare(run.model)
    method.on_train_begin(run)
    return method, run


def step(method, run, rows=None):
    """One step in which nothing but the method acts."""
    if rows is not None:
        run.model.conv.weight.data = torch.tensor(rows).reshape(run.model.conv.weight.shape)
    method.on_step_begin(run)
    run.model.conv.weight.grad = torch.zeros_like(run.model.conv.weight)
    method.on_backward_end(run)
    method.on_step_end(run)
    run.step += 1


@pytest.mark.parametrize(
    ("position", "increment"), [(0, 1.0), (200 / 3, 0.25), (100, 0.0), (150, -0.914), (200, -3.5)]
)
def test_the_exponential_increment_has_the_values_of_the_code(position, increment):
    """alpha = ln(8) / 100, N1 = ln(4) / alpha = 66.7; behind it 0.5 - exp(-alpha * (2 * N1 - j))."""
    assert exponential(torch.tensor([position]), 100, 1.0).item() == pytest.approx(increment, abs=1e-3)


def test_the_linear_increment_goes_from_a_through_zero_to_minus_a():
    delta = linear(torch.tensor([0.0, 2.0, 4.0, 9.0]), 4, 0.5, 10)
    assert delta.tolist() == pytest.approx([0.5, 0.25, 0.0, -0.5])


def test_rows_of_layers_have_their_own_number_of_groups_to_go():
    both = exponential(torch.tensor([[0.0, 4.0], [0.0, 4.0]]), torch.tensor([[4], [8]]), 1.0)
    assert torch.equal(both[0], exponential(torch.tensor([0.0, 4.0]), 4, 1.0))
    assert torch.equal(both[1], exponential(torch.tensor([0.0, 4.0]), 8, 1.0))


def test_a_simulation_tells_when_the_last_group_is_gone():
    assert updates_needed([(4, 1)], "exp", 0.1, 1.0) == 10  # the least important alone: limit / a
    few, many = (updates_needed([size], "exp", 1.0, 200.0) / 200 for size in ((16, 8), (384, 192)))
    assert 2.4 < few < many < 7.1


def test_increg_raises_the_factor_of_what_ranks_low():
    method, run = begun(IncrementalRegularisation, a=0.1)
    for _ in range(3):
        step(method, run)
    (factors,) = method.factor.tolist()
    # Of four groups two go: alpha = ln(8) / 2, N1 = 4 / 3, so rank 1 gets exp(-alpha) = 8 ** -0.5 of A.
    assert factors == pytest.approx([0.0, 0.3, 0.0, 0.3 * 8**-0.5])


def test_increg_adds_factor_times_weight_to_the_gradient():
    method, run = begun(IncrementalRegularisation, a=0.1)
    run.model.conv.weight.grad = torch.zeros_like(run.model.conv.weight)
    method.on_backward_end(run)
    gradient = run.model.conv.weight.grad.flatten().tolist()
    assert gradient == pytest.approx([0.0, 0.1 * 1.0, 0.0, 0.1 * 8**-0.5 * 2.0])


def test_increg_takes_back_from_a_group_that_climbs():
    method, run = begun(IncrementalRegularisation, a=0.1)
    for _ in range(4):
        step(method, run)
    before = method.factor[0, 1].item()
    for _ in range(40):
        step(method, run, [[4.0], [9.0], [3.0], [2.0]])
        assert (method.factor >= 0).all()
    assert before == pytest.approx(0.4)
    assert method.factor[0, 1].item() == 0.0  # the second group is the largest now


def test_increg_lets_groups_go_for_good_and_no_more_than_asked():
    method, run = begun(IncrementalRegularisation, a=1.0, t=2.5)
    counts = []
    for _ in range(12):
        step(method, run)
        counts.append(int(method.gone.sum()))
        run.model.conv.weight.data.add_(0.01)  # as momentum would
    assert counts[:3] == [0, 0, 1]  # 2.5 / 1.0 steps
    assert counts[-1] == 2 == max(counts)
    assert method.gone.tolist() == [[False, True, False, True]]
    assert not method.factor.any()  # what is left over is dropped
    step(method, run)
    assert run.model.conv.weight.flatten()[[1, 3]].tolist() == [0.0, 0.0]
    method.finalize(run)
    assert method.plan == {"conv": (1, 3)}
    assert method.report()["removed_by_rank_at_the_end"] == 0
    assert method.warnings() == ()


def test_increg_shrinks_weights_beside_a_step_that_divides_gradients():
    method, run = begun(IncrementalRegularisation, a=0.1)
    run.optimizer = torch.optim.AdamW(run.model.parameters(), lr=0.5)
    method.on_train_begin(run)
    step(method, run)
    assert not run.model.conv.weight.grad.any()
    assert run.model.conv.weight.flatten()[1].item() == pytest.approx(1.0 * (1 - 0.5 * 0.1))


@pytest.mark.parametrize("kind", [IncrementalRegularisation, ProbabilisticPruning])
def test_a_phase_that_ends_too_early_removes_the_rest_by_rank_and_says_so(kind):
    method, run = begun(kind, a=1e-6)
    step(method, run)
    method.finalize(run)
    assert method.plan == {"conv": (1, 3)}
    assert method.report()["removed_by_rank_at_the_end"] == method.report()["of"] == 2
    assert "2 of 2 channels were still there when the phase ended" in method.warnings()[0]


@pytest.mark.parametrize("kind", [IncrementalRegularisation, ProbabilisticPruning])
def test_constants_are_fitted_so_that_the_last_group_goes_in_time(kind):
    rows = [[float(i + 1)] for i in range(32)]
    method, run = begun(kind, removed=16, rows=rows, recipe=Recipe(epochs=20), steps_per_epoch=31)
    while run.step < 620 and method.going.any():
        step(method, run)
    assert 0.6 * 620 < run.step <= 0.82 * 620
    assert not method.report()["published"]


def test_published_constants_are_kept_by_runs_as_long_as_the_papers():
    long = Recipe(epochs=100)
    method, _ = begun(IncrementalRegularisation, recipe=long, steps_per_epoch=1000)
    assert method.report() == {
        "a": PUBLISHED_A,
        "t": 2.5,
        "published": True,
        "removed_by_rank_at_the_end": 0,
        "of": 2,
    }
    method, _ = begun(ProbabilisticPruning, recipe=long, steps_per_epoch=1000)
    assert (method.report()["a"], method.report()["every"], method.report()["published"]) == (0.05, 180, True)


def test_spp_follows_the_rank_and_gives_back():
    method, run = begun(ProbabilisticPruning, a=0.1, every=1)
    for _ in range(6):
        step(method, run)
    (probability,) = method.probability.tolist()
    assert probability[1] == pytest.approx(0.6)
    assert probability[::2] == pytest.approx([0.0, 0.0])
    for _ in range(60):
        step(method, run, [[4.0], [9.0], [3.0], [2.0]])
        assert ((method.probability >= 0) & (method.probability <= 1)).all()
    assert method.probability[0, 1].item() == 0.0  # from 0.6 back, being the largest
    assert not method.gone[0, 1]


def test_spp_never_takes_back_from_the_smallest():
    method, run = begun(ProbabilisticPruning, a=0.1, every=1)
    seen = []
    for _ in range(9):  # the tenth lets it go
        step(method, run)
        seen.append(method.probability[0, 1].item())
    assert seen == sorted(seen)
    assert seen[0] < seen[-1] == pytest.approx(0.9)


def test_spp_lets_the_smallest_go_after_one_over_a_updates():
    method, run = begun(ProbabilisticPruning, a=0.05, every=3)
    while not method.gone.any():
        step(method, run)
    assert run.step == 20 * 3
    while method.going.any():
        step(method, run)
    assert method.gone.tolist() == [[False, True, False, True]]
    assert not method.probability.any()


@pytest.mark.parametrize("draw", ["element", "group"])
def test_spp_keeps_a_weight_as_often_as_its_probability_says(draw):
    rows = torch.ones(4, 64).tolist()
    method, run = begun(ProbabilisticPruning, a=0.1, every=1, draw=draw, rows=rows)
    method.probability[0] = torch.tensor([0.0, 0.25, 0.5, 0.75])
    kept = torch.zeros(4)
    for run.step in range(400):
        method.on_step_begin(run)
        kept += run.model.conv.weight.detach().flatten(1).mean(1)
        run.model.conv.weight.grad = torch.ones_like(run.model.conv.weight)
        masked = run.model.conv.weight.detach() == 0
        method.on_backward_end(run)
        assert torch.equal(run.model.conv.weight.grad == 0, masked)  # what was dropped does not learn
    assert (kept / 400).tolist() == pytest.approx(
        [1.0, 0.75, 0.5, 0.25], abs=0.08 if draw == "group" else 0.01
    )
    assert torch.equal(run.model.conv.weight, torch.ones_like(run.model.conv.weight))  # whole again


def test_spp_draws_the_same_masks_in_every_process():
    masks = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(masks))  # the processes' own numbers differ
        method, run = begun(
            ProbabilisticPruning, a=0.1, recipe=Recipe(seed=seed), rows=torch.ones(4, 16).tolist()
        )
        method.probability[0] = 0.5
        method.on_step_begin(run)
        masks.append(run.model.conv.weight.detach().clone())
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


@pytest.mark.parametrize("kind", [IncrementalRegularisation, ProbabilisticPruning])
def test_an_increment_of_zero_is_plain_training_to_the_bit(tmp_path, toy_data, kind):
    plain = small_model()
    train(plain, [], tmp_path, toy_data)
    same = small_model()
    train(same, [method_for(same, kind, a=0.0)], tmp_path, toy_data)
    assert same_bits(plain, same) == []


@pytest.mark.parametrize("kind", [IncrementalRegularisation, ProbabilisticPruning])
@pytest.mark.parametrize("options", [{"a": -1.0}, {"a": math.nan}, {"increment": "quadratic"}])
def test_options_out_of_range_are_refused(kind, options):
    with pytest.raises(ValueError, match=r"a is|increment is 'quadratic'; allowed: exp, linear"):
        kind(*one_group(4, 2), **options)


def test_a_group_of_several_layers_is_ranked_by_all_of_them(tmp_path, toy_data):
    model = small_model()
    method = method_for(model, IncrementalRegularisation, Budget(rate=0.5, scope="all", round_to=4))
    assert max(len(group.layers) for group, _ in method.targets()) > 2
    train(model, [method], tmp_path, toy_data)
    assert method.report()["removed_by_rank_at_the_end"] < method.report()["of"]
    assert {name: len(indices) for name, indices in method.plan.items()} == method.counts
