"""Ops of several kinds, each with a law of its own, that add up to networks never seen."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from predictors import OpLatency
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
    model = OpLatency(("svr",)).fit(X, y, groups)
    new, truth, of = ops(seed=1)
    predicted = model.predict(new)
    sums = np.array([[each[of == n].sum() for n in range(20)] for each in (predicted, truth)])
    assert np.abs(sums[0] / sums[1] - 1).max() < 0.05


def test_each_kind_has_the_regressor_that_does_best_on_other_networks():
    X, y, groups = ops()
    model = OpLatency(("linear", "svr")).fit(X, y, groups)
    assert model.chosen_ == {0: "svr", 1: "linear"}


def test_rare_and_unknown_kinds_get_a_median_and_zeros_are_no_trouble():
    X, y, _ = ops()
    X, y = np.vstack([X, [[7, 1.0], [7, 2.0], [7, 3.0]]]), np.concatenate([y, [0.0, 4.0, 5.0]])
    model = OpLatency(("linear",)).fit(X, y)
    assert model.chosen_[7] == "median"
    assert model.predict([[7, 9.0]]) == pytest.approx([4.0])
    assert model.predict([[9, 1.0]]) == pytest.approx([np.median(y)], rel=1e-3)


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
    check_estimator(OpLatency(("linear",)))
    check_estimator(MedianRidge())
