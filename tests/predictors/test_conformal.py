"""The quantile that makes an interval hold."""

import numpy as np
import pytest

from predictors.conformal import conformal_quantile, group_scores, groups_needed, row_quantiles


def test_quantile_is_the_ceil_n_plus_1_times_1_minus_alpha_th_score():
    scores = np.array([0.5, 0.1, 0.4, 0.2, 0.3, 0.9, 0.8, 0.7, 0.6])
    assert conformal_quantile(scores, alpha=0.1) == 0.9  # ceil(10 * 0.9) = 9th of 9
    assert conformal_quantile(scores, alpha=0.5) == 0.5  # ceil(10 * 0.5) = 5th
    assert conformal_quantile(scores, alpha=0.45) == 0.6  # ceil(10 * 0.55) = 6th


def test_too_few_scores_would_be_an_infinite_interval_and_raise():
    with pytest.raises(ValueError, match=r"8 held-out groups.*at least 9"):
        conformal_quantile(np.ones(8), alpha=0.1)


@pytest.mark.parametrize(("alpha", "least"), [(0.1, 9), (0.2, 4), (0.05, 19), (0.5, 1), (0.9, 1)])
def test_groups_needed_is_the_least_that_works(alpha, least):
    assert groups_needed(alpha) == least
    conformal_quantile(np.ones(least), alpha)


def test_score_of_a_group_is_its_worst_row():
    residuals = np.array([0.1, -0.4, 0.2, 0.3])
    assert group_scores(residuals, np.array(["b", "b", "a", "a"])).tolist() == [0.3, 0.4]


def test_of_rows_every_group_counts_once_however_many_it_has():
    scores = np.concatenate([np.full(90, 9.0), np.arange(1, 10)])  # one group of 90 rows, nine of one
    groups = np.concatenate([np.zeros(90), np.arange(1, 10)])
    assert row_quantiles(scores, groups, np.array([0.5, 0.9])).tolist() == [6.0, 9.0]
    assert row_quantiles(scores, np.arange(99), np.array([0.5])).tolist() == [9.0]
