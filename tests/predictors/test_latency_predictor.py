"""The predictor: choice, interval, range and sklearn's own contract."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from predictors import LatencyPredictor, candidate_names
from predictors.conformal import calibration_groups


def power_law(n=40, seed=0, noise=0.0):
    """Two kinds of core over their clocks: log features, latency in ms."""
    rng = np.random.default_rng(seed)
    clock_ghz = rng.uniform(0.3, 2.8, n)
    strength = rng.choice([0.5, 1.0], n)
    latency_ms = 20 / (clock_ghz * strength) * np.exp(noise * rng.standard_normal(n))
    return np.log(np.stack([clock_ghz, strength], axis=1)), latency_ms


def test_linear_wins_on_a_power_law_and_predicts_it():
    X, y = power_law()
    predictor = LatencyPredictor().fit(X, y)
    assert predictor.chosen_ == "linear"
    assert set(predictor.scores_) == set(candidate_names())
    assert predictor.scores_["linear"] == min(predictor.scores_.values()) < 1.0
    middle = np.log([[1.0, 0.5]])
    assert predictor.predict(middle) == pytest.approx([40.0], rel=0.01)


def test_bend_that_is_no_power_law_is_left_to_another_candidate():
    clock_ghz = np.linspace(0.3, 2.8, 60)
    y = np.maximum(20 / clock_ghz, 12.0)  # memory sets a floor above 1.7 GHz
    predictor = LatencyPredictor(candidates=("linear", "random_forest")).fit(np.log(clock_ghz)[:, None], y)
    assert predictor.chosen_ == "random_forest"


def test_cross_validation_never_sees_a_group_on_both_sides():
    """A group's latency is its own and a feature names it: only rows that leak can be predicted."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(20), 5)
    latency = rng.uniform(1, 100, 20)[groups]
    X = groups[:, None].astype(float)
    forest = {"candidates": ("random_forest",)}
    leaking = LatencyPredictor(**forest).fit(X, latency).scores_["random_forest"]
    grouped = LatencyPredictor(**forest).fit(X, latency, groups).scores_["random_forest"]
    assert leaking < 20 < 100 < grouped


def test_interval_covers_new_groups_as_promised():
    inside = []
    for seed in range(40):
        X, y = power_law(n=60, seed=seed, noise=0.2)
        predictor = LatencyPredictor(
            candidates=("linear",), alpha=0.2, n_splits=2, on_extrapolate="warn", random_state=seed
        )
        predictor.fit(X[:40], y[:40])
        low, high = predictor.predict_interval(X[40:]).T
        inside.append(np.mean((low <= y[40:]) & (y[40:] <= high)))
    assert 0.76 < np.mean(inside) < 0.90  # 800 points; >= 1 - alpha up to chance, and not wastefully wide


def coverage(normalized, seeds=16):
    """Return the share of new rows inside at alpha = 0.1, and the mean width in log latency."""
    inside, widths = [], []
    for seed in range(seeds):
        X, y = power_law(n=260, seed=seed)
        rng = np.random.default_rng(seed)
        noisy = np.where(X[:, 0] > 0.4, 0.3, 0.02)  # fast clocks throttle
        y = y * np.exp(noisy * rng.standard_normal(len(y)))
        predictor = LatencyPredictor(
            candidates=("linear",),
            normalized=normalized,
            calibration=0.4,
            on_extrapolate="warn",
            random_state=seed,
        )
        low, high = predictor.fit(X[:160], y[:160]).predict_interval(X[160:]).T
        inside.append(np.mean((low <= y[160:]) & (y[160:] <= high)))
        widths.append(np.mean(np.log(high / low)))
    return float(np.mean(inside)), float(np.mean(widths))


def test_normalised_interval_covers_as_promised_and_is_narrower_where_noise_differs():
    split, normalised = coverage(False), coverage(True)
    # One standard error of 16 draws is 1.2 points; tests/benchmarks/coverage.py takes more of them.
    assert split[0] == pytest.approx(0.9, abs=0.045)
    assert normalised[0] == pytest.approx(0.9, abs=0.045)
    assert normalised[1] < 0.8 * split[1]


def test_the_narrower_kind_of_interval_is_taken_and_both_widths_are_told():
    X, y = power_law(n=200)
    rng = np.random.default_rng(0)
    uneven = y * np.exp(np.where(X[:, 0] > 0.4, 0.3, 0.02) * rng.standard_normal(len(y)))
    even = y * np.exp(0.1 * rng.standard_normal(len(y)))
    learnt, plain = (LatencyPredictor(candidates=("linear",)).fit(X, each) for each in (uneven, even))
    assert learnt.normalized_
    assert learnt.widths_["normalised"] < 0.8 * learnt.widths_["split"]
    assert not plain.normalized_
    assert np.ptp(np.log(learnt.predict_interval(X) @ [-1, 1] / learnt.predict(X))) > 1
    assert LatencyPredictor(candidates=("linear",), normalized=True).fit(X, even).widths_ == {}


def test_groups_set_aside_are_as_many_as_cover_exactly_what_was_asked():
    assert [calibration_groups(most, 0.1) for most in (5, 9, 18, 19, 30)] == [9, 9, 9, 19, 29]
    assert calibration_groups(40, 0.2) == 39


def several_networks(n=30, seed=0):
    """Return counts of two ops per network with the log of their sum, at three clocks, and what it takes."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 20, (n, 2)).repeat(3, axis=0)
    clock_ghz = np.tile([0.5, 1.0, 2.0], n)
    costs = counts / clock_ghz[:, None]
    y = costs @ [3.0, 40.0] * np.exp(0.02 * rng.standard_normal(len(costs)))
    X = np.column_stack([np.log(counts.sum(axis=1)), np.log(clock_ghz), costs])
    return X, y, np.arange(n).repeat(3)


def test_where_costs_are_named_their_sum_competes_and_wins_where_it_is_the_truth():
    X, y, groups = several_networks()
    predictor = LatencyPredictor(("linear", "additive", "additive_corrected"), costs=(2, 3)).fit(X, y, groups)
    assert predictor.chosen_ == "additive"
    assert predictor.scores_["additive"] < 3 < predictor.scores_["linear"]
    new, truth, _ = several_networks(seed=1)
    inside = predictor.is_inside(new)
    assert predictor.predict(new[inside]) == pytest.approx(truth[inside], rel=0.1)


def test_plain_candidates_do_not_see_the_costs():
    X, y, groups = several_networks()
    with_costs = LatencyPredictor(("linear",), costs=(2, 3)).fit(X, y, groups)
    without = LatencyPredictor(("linear",)).fit(X[:, :2], y, groups)
    assert with_costs.predict(X) == pytest.approx(without.predict(X[:, :2]))


def test_interval_is_symmetric_on_the_log_scale():
    X, y = power_law(noise=0.1)
    predictor = LatencyPredictor(candidates=("linear",), normalized=False).fit(X, y)
    low, high = predictor.predict_interval(X).T
    assert predictor.half_width_ > 0
    np.testing.assert_allclose(np.sqrt(low * high), predictor.predict(X))
    np.testing.assert_allclose(np.log(high / low), 2 * predictor.half_width_)


def test_same_seed_same_predictor_and_clone_keeps_parameters():
    X, y = power_law(noise=0.1)
    first = LatencyPredictor(candidates=("linear", "mlp"), random_state=3).fit(X, y)
    second = clone(first).fit(X, y)
    assert first.scores_ == second.scores_
    np.testing.assert_array_equal(first.predict(X), second.predict(X))


def test_outside_the_range_of_training_raises_or_warns():
    X, y = power_law()
    beyond = np.log([[4.0, 1.0]])
    predictor = LatencyPredictor(candidates=("linear",)).fit(X, y)
    assert predictor.is_inside(np.vstack([X, beyond])).tolist() == [True] * len(X) + [False]
    with pytest.raises(ValueError, match=r"feature 0 of row 0 is 1\.38.*measure that"):
        predictor.predict(beyond)
    predictor.set_params(on_extrapolate="warn")
    with pytest.warns(UserWarning, match="extrapolating"):
        assert predictor.predict(beyond) == pytest.approx([5.0], rel=0.05)


def test_unfitted_predictor_says_so():
    with pytest.raises(NotFittedError):
        LatencyPredictor().predict([[0.0]])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"candidates": ("linear", "oracle")}, "oracle.*choose at least one of linear, quadratic, svr"),
        ({"candidates": ()}, "choose at least one"),
        ({"alpha": 1.0}, "alpha is 1.0"),
        ({"calibration": 0.0}, "calibration 0.0"),
        ({"n_splits": 1}, "at least 2 folds"),
        ({"costs": (2,)}, r"costs are \[2\] of 2 columns"),
        ({"costs": (0, 1)}, "leave a column beside them"),
        ({"candidates": ("additive",)}, "additive needs columns of costs"),
        ({"on_extrapolate": "ignore"}, "'raise', 'warn'"),
    ],
)
def test_bad_parameters_are_refused(parameters, message):
    X, y = power_law()
    with pytest.raises(ValueError, match=message):
        LatencyPredictor(**parameters).fit(X, y)


def test_latency_of_zero_is_refused():
    X, y = power_law()
    with pytest.raises(ValueError, match="only positive"):
        LatencyPredictor().fit(X, y * 0)


def test_nothing_to_learn_from_is_refused():
    X, y = power_law()
    with pytest.raises(ValueError, match="all 2 features are constant"):
        LatencyPredictor().fit(np.ones_like(X), y)
    with pytest.raises(ValueError, match="NaN"):
        LatencyPredictor().fit(X * np.nan, y)
    with pytest.raises(ValueError, match="50 features and n_samples = 40: any latencies would fit"):
        LatencyPredictor().fit(np.random.default_rng(0).standard_normal((40, 50)), y)


def test_many_features_that_move_together_are_no_trouble():
    X, y = power_law()
    together = np.repeat(X, 30, axis=1)
    LatencyPredictor(candidates=("linear",)).fit(np.column_stack([together, np.ones(len(y))]), y)


def test_groups_of_another_length_are_refused():
    X, y = power_law()
    with pytest.raises(ValueError, match="one per row"):
        LatencyPredictor().fit(X, y, groups=[1, 2, 3])


def test_too_few_groups_say_how_many_are_needed():
    X, y = power_law(n=40)
    assert LatencyPredictor.groups_required(alpha=0.1) == 11
    with pytest.raises(ValueError, match=r"10 groups.*needs at least 11"):
        LatencyPredictor().fit(X, y, groups=np.arange(40) % 10)
    LatencyPredictor(candidates=("linear",)).fit(X, y, groups=np.arange(40) % 11)


def test_follows_the_contract_of_scikit_learn():
    # alpha = 0.5 needs three groups only, which lets sklearn's smallest toy data through.
    check_estimator(LatencyPredictor(("linear",), alpha=0.5, n_splits=2, normalized=True))
