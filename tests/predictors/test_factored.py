"""A sum of terms, each scaled by factors."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from predictors import FactoredLatency

ACTS_ON = [[1, 0], [0, 1], [1, 1]]
TRUE = np.array([0.5, -0.3, 0.2])


def rows(n=200, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    terms, factors = rng.uniform(0.1, 10, (n, 2)), rng.integers(0, 2, (n, 3)).astype(float)
    y = (terms * np.exp((factors * TRUE) @ np.array(ACTS_ON))).sum(axis=1)
    return terms, factors, y * np.exp(noise * rng.normal(size=n))


def model(spread=10.0):
    return FactoredLatency(ACTS_ON, np.zeros(3), np.full(3, spread))


def test_true_factors_are_found():
    assert model().fit(*rows()).coef_ == pytest.approx(TRUE, abs=1e-3)


def test_a_few_rows_that_are_wrong_bend_little():
    terms, factors, y = rows(noise=0.02)
    y[::20] *= 5
    assert model().fit(terms, factors, y).coef_ == pytest.approx(TRUE, abs=0.1)


def test_a_factor_of_which_no_row_tells_stays_where_it_was():
    terms, factors, y = rows()
    factors[:, 2] = 0
    fitted = FactoredLatency(ACTS_ON, np.array([0, 0, 0.7]), np.full(3, 0.5)).fit(terms, factors, y)
    assert fitted.coef_[2] == pytest.approx(0.7)


def test_a_weight_of_two_is_a_row_twice():
    terms, factors, y = rows(30, noise=0.2)
    twice = model(0.3).fit(*(np.concatenate([part, part[:5]]) for part in (terms, factors, y)))
    weighted = model(0.3).fit(terms, factors, y, np.r_[np.full(5, 2.0), np.ones(25)])
    assert weighted.coef_ == pytest.approx(twice.coef_, abs=1e-5)


def test_bad_input_is_told():
    terms, factors, y = rows(10)
    with pytest.raises(NotFittedError):
        model().predict(terms, factors)
    with pytest.raises(ValueError, match="do not fit acts_on"):
        model().fit(terms[:, :1], factors, y)
    with pytest.raises(ValueError, match="positive latencies"):
        model().fit(terms, factors, -y)
    with pytest.raises(ValueError, match="negative"):
        model().fit(-terms, factors, y)
