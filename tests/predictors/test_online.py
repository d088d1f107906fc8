"""Drift is noticed by intervals that miss, luck is not taken for it, and predictions follow."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from predictors import LatencyPredictor, OnlineLatency


def cases(n, factor=1.0, seed=0, noise=0.05):
    rng = np.random.default_rng(seed)
    X = np.log(rng.uniform(0.5, 2.5, n))[:, None]
    return X, factor * 20 / np.exp(X[:, 0]) * np.exp(noise * rng.standard_normal(n))


def online(**options):
    X, y = cases(300)
    ends = np.log([[0.5], [2.5]])
    X, y = np.concatenate([X, ends]), np.concatenate([y, [40.0, 8.0]])
    return OnlineLatency(LatencyPredictor(candidates=("linear",)).fit(X, y), **options)


def test_without_drift_nothing_changes():
    watched = online().partial_fit(*cases(500, seed=1))
    assert (watched.drifts_, watched.offset_, watched.scale_) == (0, 0.0, 1.0)


def test_a_device_that_slows_down_is_followed_within_a_few_cases():
    watched = online()
    watched.partial_fit(*cases(50, seed=1))
    watched.partial_fit(*cases(12, factor=1.5, seed=2))
    assert watched.drifts_ >= 1
    X, y = cases(200, factor=1.5, seed=3)
    assert np.mean(np.abs(watched.predict(X) / y - 1)) < 0.08
    low, high = watched.predict_interval(X).T
    assert np.mean((low <= y) & (y <= high)) > 0.8


def test_it_follows_back_again():
    watched = online()
    watched.partial_fit(*cases(30, factor=1.5, seed=2))
    watched.partial_fit(*cases(60, seed=4))
    assert watched.drifts_ >= 2
    assert abs(watched.offset_) < 0.05


def test_a_wide_interval_is_not_trusted():
    watched = online(trust_pct=20)
    X, _ = cases(5)
    assert watched.is_trusted(X).all()
    assert not online(trust_pct=1).is_trusted(X).any()
    watched.partial_fit(*cases(60, seed=5, noise=0.6))
    assert watched.drifts_ >= 1
    assert not watched.is_trusted(X).any()


def test_bad_input_is_refused():
    X, y = cases(5)
    for wrong in (-y, y * np.nan, y[:3]):
        with pytest.raises(ValueError, match="each needs one, a positive number"):
            online().partial_fit(X, wrong)
    with pytest.raises(ValueError, match="window >= min_update"):
        online(window=3).predict(X)
    with pytest.raises(NotFittedError):
        OnlineLatency(LatencyPredictor()).predict(X)
