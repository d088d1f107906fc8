"""Intervals: checked against tables and by how often they hold the truth."""

import numpy as np
import pytest

from runtime.measure.interval import (
    median_interval,
    order_statistics,
    paired_ratio,
    t_quantile,
    unpaired_ratio,
)


def test_ranks_of_the_median_are_those_of_the_table():
    # 95 % ranks of the median of 30 are 10 and 21 (Conover, Practical Nonparametric Statistics, A3)
    interval = order_statistics(range(1, 31))
    assert (interval.low, interval.high) == (9, 22)  # rounded outwards by one
    assert order_statistics([3.0, 1.0, 2.0]) == type(interval)(1.0, 3.0)


@pytest.mark.parametrize(("freedom", "t"), [(1, 12.706), (2, 4.303), (9, 2.262), (60, 2.000), (1000, 1.962)])
def test_student_t(freedom, t):
    assert t_quantile(freedom) == pytest.approx(t, abs=0.002)


def blocks_of(rng, n_blocks, between, within=0.01, runs=30):
    """Frames around 10 ms whose blocks differ: correlated within a block."""
    middles = 10.0 * np.exp(between * rng.standard_normal(n_blocks))
    return [middle * np.exp(within * rng.standard_normal(runs)) for middle in middles]


@pytest.mark.parametrize(("n_blocks", "between"), [(2, 0.03), (3, 0.03), (3, 0.0), (10, 0.03)])
def test_the_interval_holds_the_true_median_95_times_in_100(n_blocks, between):
    rng = np.random.default_rng(0)
    intervals = [median_interval(blocks_of(rng, n_blocks, between)) for _ in range(600)]
    held = np.mean([interval.low <= 10.0 <= interval.high for interval in intervals])
    assert held >= 0.93


def test_pooling_frames_of_different_blocks_would_not_hold():
    rng = np.random.default_rng(0)
    pooled = [order_statistics(np.concatenate(blocks_of(rng, 3, 0.03))) for _ in range(300)]
    assert np.mean([interval.low <= 10.0 <= interval.high for interval in pooled]) < 0.75


@pytest.mark.parametrize("ratio_of", [paired_ratio, unpaired_ratio])
def test_a_ratio_and_how_often_its_interval_holds(ratio_of):
    rng = np.random.default_rng(1)
    held = []
    for _ in range(600):
        a = 10.0 * np.exp(0.02 * rng.standard_normal(5))
        b = 12.0 * np.exp(0.02 * rng.standard_normal(5))
        ratio, interval = ratio_of(a, b)
        assert interval.low <= ratio <= interval.high
        held.append(interval.low <= 1.2 <= interval.high)
    assert np.mean(held) >= 0.93


def test_pairs_cancel_a_drift_that_both_feel():
    drift = np.array([1.0, 1.3, 1.6, 1.1])
    ratio, paired = paired_ratio(10 * drift, 11 * drift)
    assert ratio == pytest.approx(1.1)
    assert paired.half_share < 1e-9
    assert unpaired_ratio(10 * drift, 11 * drift)[1].half_share > 0.2


def test_one_block_says_nothing_about_the_next():
    with pytest.raises(ValueError, match="at least two"):
        paired_ratio([1.0], [1.0])
    with pytest.raises(ValueError, match="at least two of each"):
        unpaired_ratio([1.0], [1.0, 1.1])
