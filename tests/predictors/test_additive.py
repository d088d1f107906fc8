"""Costs that add up, and a learner only where it helps."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

from predictors import AdditiveLatency

COST_MS = np.array([16.0, 2.5, 2.8])


def networks(n=60, seed=0, noise=0.05):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 5, (n, 3)).astype(float)
    X[:, 0] += 1
    return X, X @ COST_MS * np.exp(noise * rng.standard_normal(n))


def test_costs_are_found_and_reach_beyond_what_was_seen():
    X, y = networks()
    model = AdditiveLatency().fit(X, y)
    assert model.coef_ == pytest.approx(COST_MS, rel=0.1)
    assert model.chosen_ == "none"
    assert model.predict([[40.0, 0, 0]]) == pytest.approx([640], rel=0.05)


def test_a_third_of_slow_runs_does_not_move_the_costs():
    X, y = networks(n=120)
    y[::3] *= 1.5
    assert AdditiveLatency().fit(X, y).coef_[0] == pytest.approx(16, rel=0.1)


def test_what_no_sum_of_costs_shows_is_learnt():
    X, y = networks(n=400)
    y[X[:, 1] > 2] *= 1.4  # beyond the cache
    alone = AdditiveLatency(residuals=()).fit(X[:300], y[:300])
    model = AdditiveLatency().fit(X[:300], y[:300])
    assert model.chosen_ == "gradient_boosting"
    off = [np.median(np.abs(each.predict(X[300:]) / y[300:] - 1)) for each in (alone, model)]
    assert off[1] < 0.06 < off[0]


def test_columns_beside_the_costs_serve_the_residual_alone():
    X, y = networks(n=300)
    hot = np.where(np.arange(300) % 2, 1.0, -1.0)
    model = AdditiveLatency(costs=(0, 1, 2)).fit(np.column_stack([X, hot]), y * np.exp(0.3 * hot))
    assert len(model.coef_) == 3
    cool, warm = model.predict([[2, 1, 1, -1], [2, 1, 1, 1]])
    assert warm / cool == pytest.approx(np.exp(0.6), rel=0.1)


def test_no_prediction_is_below_the_least():
    X, y = networks()
    assert AdditiveLatency(least=0.01).fit(X, y).predict([[0.0, 0, 0]]) == pytest.approx([0.01])


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [2]], [1.0, -1], "only positive"),
        ([[1.0], [2]], [1.0, np.nan], "NaN"),
        ([[-1.0], [2]], [1.0, 1], "name the columns that are costs"),
        ([[1.0, 2, 3], [2, 1, 1]], [1.0, 2], "2 samples for 3 costs"),
    ],
)
def test_bad_input_is_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        AdditiveLatency().fit(X, y)


def test_a_constant_column_is_no_trouble():
    X, y = networks()
    assert np.all(
        np.isfinite(
            AdditiveLatency()
            .fit(np.column_stack([X, np.ones(len(y))]), y)
            .predict(np.column_stack([X, np.ones(len(y))]))
        )
    )


def test_follows_the_contract_of_scikit_learn():
    check_estimator(AdditiveLatency(residuals=("linear",), n_splits=2))
