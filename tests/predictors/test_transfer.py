"""A few samples of a new device, well chosen, carry a predictor over."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.estimator_checks import check_estimator

from predictors import AdditiveLatency, TransferLatency, choose_samples, transfer


def networks(n=300, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(1, 10, (n, 3)), rng


def devices():
    X, rng = networks()
    source = AdditiveLatency(residuals=()).fit(X, X @ [4.0, 1, 0.5])
    # 2.2 times slower, and three times on the last kind of operation.
    return X, source, X @ [8.8, 2.2, 1.5] * np.exp(0.02 * rng.standard_normal(len(X)))


def off_pct(predictor, X, y):
    return 100 * np.mean(np.abs(predictor.predict(X) / y - 1))


def test_eighteen_samples_carry_a_predictor_over():
    X, source, y = devices()
    chosen = choose_samples(X, n_clusters=9)
    other = TransferLatency(source).fit(X[chosen], y[chosen])
    rest = np.setdiff1d(np.arange(len(y)), chosen)
    assert len(chosen) == 18
    assert off_pct(source, X[rest], y[rest]) > 50
    assert off_pct(other, X[rest], y[rest]) < 5
    assert other.scores_[other.chosen_] < other.scores_["source"]


def test_two_samples_give_the_factor():
    X, source, _ = devices()
    other = TransferLatency(source).fit(X[:2], 3 * source.predict(X[:2]))
    assert other.chosen_ == "offset"
    assert other.predict(X[5:6]) == pytest.approx(3 * source.predict(X[5:6]))


def test_one_bad_sample_is_not_felt():
    X, source, _ = devices()
    y = 2 * source.predict(X[:9])
    y[4] *= 10
    assert off_pct(TransferLatency(source).fit(X[:9], y), X[20:], 2 * source.predict(X[20:])) < 5


def test_clusters_are_found_and_each_gives_two():
    centres = np.array([[0.0, 0], [9, 0], [0, 9]])
    rng = np.random.default_rng(0)
    X = np.repeat(centres, 20, axis=0) + 0.3 * rng.standard_normal((60, 2))
    chosen = choose_samples(X)
    assert np.bincount(chosen // 20).tolist() == [2, 2, 2]


def test_few_or_equal_rows_are_no_trouble():
    assert choose_samples([[1.0], [1.0], [1.0]]).size >= 1
    assert choose_samples([[1.0]]).tolist() == [0]
    with pytest.raises(ValueError, match="at least 1"):
        choose_samples([[1.0]], max_clusters=0)
    with pytest.raises(ValueError, match="at least 1"):
        choose_samples([[1.0]], n_clusters=0)
    with pytest.raises(ValueError, match="NaN"):
        choose_samples([[np.nan]])


def test_the_interval_holds_for_what_was_not_sampled():
    X, source, y = devices()
    chosen = choose_samples(X, n_clusters=15)
    other = TransferLatency(source).fit(X[chosen], y[chosen], pool=X)
    rest = np.setdiff1d(np.arange(len(y)), chosen)
    low, high = other.predict_interval(X[rest]).T
    assert np.mean((low <= y[rest]) & (y[rest] <= high)) > 0.85
    assert np.mean(high / low) < 1.4
    assert other.is_inside(X).all()
    assert not other.is_inside(X[:1] + 100).any()


def test_too_few_samples_give_no_interval():
    X, source, _ = devices()
    other = TransferLatency(source).fit(X[:8], 2 * source.predict(X[:8]))
    with pytest.raises(ValueError, match="measure at least 9 on the new device"):
        other.predict_interval(X)
    with pytest.raises(ValueError, match=r"alpha is 1\.5"):
        TransferLatency(source, alpha=1.5).fit(X[:8], X[:8, 0])


class AnySource(RegressorMixin, BaseEstimator):
    """A source that answers rows of any width."""

    def predict(self, X):
        return 1 + np.abs(np.asarray(X)).sum(axis=1)


def test_follows_the_newer_contract_of_scikit_learn(monkeypatch):
    # It brings 200 rows, each of which is left out once: of what could be learnt, only the cheapest.
    monkeypatch.setattr(transfer, "_LEARNT", ("linear",))
    check_estimator(TransferLatency(AnySource(), alpha=0.5), legacy=False)


@pytest.mark.slow
def test_follows_the_whole_contract_of_scikit_learn():
    check_estimator(TransferLatency(AnySource(), alpha=0.5))


def test_a_latency_below_zero_is_refused():
    X, source, y = devices()
    with pytest.raises(ValueError, match="only positive"):
        TransferLatency(source).fit(X[:5], -y[:5])
