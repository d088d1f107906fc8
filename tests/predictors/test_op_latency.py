"""Ops of several kinds, each with a law of its own, that add up to networks never seen."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from predictors import OpLatency, load_predictor, save_predictor
from predictors.median_ridge import MedianRidge


def ops(networks=20, seed=0):
    """Return kind and log size of ops, what they take in ms, and the network of each."""
    rng = np.random.default_rng(seed)
    X, y, groups = [], [], []
    for network in range(networks):
        for _ in range(rng.integers(10, 30)):
            kind, size = rng.integers(0, 2), rng.uniform(1, 100)
            X.append([kind, np.log(size)])
            y.append(
                (0.02 * size if kind else 0.5 + 0.001 * size**1.5) * np.exp(0.03 * rng.standard_normal())
            )
            groups.append(network)
    return np.array(X), np.array(y), np.array(groups)


def test_networks_never_seen_are_within_a_few_percent():
    X, y, groups = ops()
    model = OpLatency(candidates=("svr",)).fit(X, y, groups)
    new, truth, of = ops(seed=1)
    predicted = model.predict(new)
    sums = np.array([[each[of == n].sum() for n in range(20)] for each in (predicted, truth)])
    assert np.abs(sums[0] / sums[1] - 1).max() < 0.05


def test_each_kind_has_the_regressor_that_does_best_on_other_networks():
    X, y, groups = ops()
    model = OpLatency(candidates=("linear", "svr")).fit(X, y, groups)
    assert model.chosen_ == {0: "svr", 1: "linear"}


def test_the_mean_of_two_regressors_is_taken_where_it_does_best():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 10, 300)
    X = np.column_stack([np.zeros(300), x, rng.normal(size=300)])
    y = np.exp(0.2 * x + 0.3 * (x > 5) + 0.1 * rng.normal(size=300))
    model = OpLatency(candidates=("smooth_svr", "boosted_trees")).fit(X, y)
    alone = [OpLatency(candidates=(name,)).fit(X, y) for name in ("smooth_svr", "boosted_trees")]
    assert model.chosen_ == {0: "smooth_svr + boosted_trees"}
    assert np.abs(model.held_out_ - y).sum() < min(np.abs(one.held_out_ - y).sum() for one in alone)
    each = np.log([one.predict(X) for one in alone])
    np.testing.assert_allclose(np.log(model.predict(X)), each.mean(axis=0))
    np.testing.assert_array_equal(load_predictor(save_predictor(model)).predict(X), model.predict(X))


def test_costs_extrapolate_to_ops_far_larger_than_any_seen():
    rng = np.random.default_rng(0)
    size = rng.uniform(1, 100, 200)
    X = np.column_stack([np.zeros(200), size, np.log(size)])
    model = OpLatency(n_costs=1, candidates=("svr",)).fit(X, 0.02 * size + 0.1)
    assert model.predict([[0, 5000.0, np.log(5000)]])[0] == pytest.approx(100.1, rel=0.05)
    assert model.is_outside([[0, 5000.0, np.log(5000)], [0, 50.0, np.log(50)]]).tolist() == [True, False]


def test_rare_kinds_have_their_costs_alone_and_zeros_are_no_trouble():
    X, y, _ = ops()
    X = np.vstack([X, [[7, 1.0], [7, 2.0], [7, 3.0], [8, 1.0], [8, 2.0]]])
    model = OpLatency(candidates=("linear",)).fit(X, np.concatenate([y, [4.0, 5.0, 5.0, 0.0, 0.0]]))
    assert model.chosen_[7] == "none"
    assert model.predict([[7, 9.0], [8, 1.0]]) == pytest.approx([5.0, model.least], rel=0.05)


def test_a_kind_never_seen_is_refused():
    X, y, _ = ops()
    with pytest.raises(ValueError, match=r"kind 9 was not in the fit; known are \[0, 1\]"):
        OpLatency(candidates=("linear",)).fit(X, y).predict([[9, 1.0]])


def test_what_it_says_of_held_out_ops_is_what_a_fit_without_them_says():
    X, y, groups = ops()
    model = OpLatency(candidates=("svr",), n_splits=20).fit(X, y, groups)
    without = OpLatency(candidates=("svr",)).fit(X[groups != 3], y[groups != 3], groups[groups != 3])
    np.testing.assert_allclose(model.held_out_[groups == 3], without.predict(X[groups == 3]))


def test_it_is_stored_with_all_its_kinds_and_checked_when_it_is_read():
    X, y, groups = ops()
    model = OpLatency(candidates=("svr", "gradient_boosting")).fit(X, y, groups)
    np.testing.assert_array_equal(load_predictor(save_predictor(model)).predict(X), model.predict(X))
    model.residuals_[0] = []
    with pytest.raises(ValueError, match="damaged corrections of ops"):
        load_predictor(save_predictor(model))
    model.coefs_[0] = np.ones(7)
    with pytest.raises(ValueError, match="damaged kinds of ops"):
        load_predictor(save_predictor(model))


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[0, 1.0], [0, 2]], [1.0, -1], "takes no less than 0"),
        ([[0, 1.0], [0, 2]], [1.0, np.nan], "NaN"),
        ([[0], [0]], [1.0, 1], "feature"),
    ],
)
def test_bad_input_is_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        OpLatency().fit(X, y)
    with pytest.raises(NotFittedError):
        OpLatency().predict([[0, 1.0]])
    with pytest.raises(ValueError, match="must be positive"):
        OpLatency(least=0).fit([[0, 1.0], [0, 2]], [1.0, 1])


def test_follows_the_contract_of_scikit_learn():
    check_estimator(OpLatency(candidates=("linear",)))
    check_estimator(MedianRidge())
