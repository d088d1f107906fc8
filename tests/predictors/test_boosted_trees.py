"""Boosted trees as arrays: the same numbers as scikit-learn's, and nothing followed out of the arrays."""

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.utils.estimator_checks import check_estimator

from predictors import OpLatency, load_predictor, save_predictor
from predictors.boosted_trees import BoostedTrees

RNG = np.random.default_rng(0)
X = RNG.uniform(size=(120, 3))
Y = np.sin(5 * X[:, 0]) + (X[:, 1] > 0.5)


def test_it_predicts_as_the_trees_that_it_was_made_of():
    ours = BoostedTrees(n_estimators=40).fit(X, Y)
    theirs = GradientBoostingRegressor(
        loss="huber", n_estimators=40, learning_rate=0.05, max_depth=4, subsample=0.5, random_state=0
    ).fit(X, Y)
    new = RNG.uniform(-0.2, 1.2, size=(500, 3))
    np.testing.assert_allclose(ours.predict(new), theirs.predict(new), rtol=1e-12)


def test_follows_the_contract_of_scikit_learn():
    check_estimator(BoostedTrees(n_estimators=20))


@pytest.mark.parametrize(
    ("part", "value"), [("left_", 10**6), ("right_", -1), ("feature_", 7), ("roots_", -5)]
)
def test_trees_of_a_file_that_leave_their_arrays_are_refused(part, value):
    ops = OpLatency(candidates=("boosted_trees",))
    ops.fit(np.column_stack([np.zeros(120), X]), np.exp(Y))
    assert ops.chosen_ == {0: "boosted_trees"}
    load_predictor(save_predictor(ops))
    getattr(ops.residuals_[0][0], part)[0] = value
    with pytest.raises(ValueError, match="damaged trees"):
        load_predictor(save_predictor(ops))
