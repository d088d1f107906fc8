"""Power over the clock: the law is found, gaps are filled, and what cannot be is refused."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from predictors import ClusterPower, further_core_share
from predictors.nonnegative import fit_nonnegative

FREQ_GHZ = np.arange(0.3, 2.4, 0.15)
VOLT = np.maximum(0.6, 0.6 + 0.25 * (FREQ_GHZ - 0.9))
POWER_MW = 15 + 350 * FREQ_GHZ * VOLT**2
X = np.stack([FREQ_GHZ, VOLT], axis=1)
UNKNOWN_VOLT = np.stack([FREQ_GHZ, np.full_like(FREQ_GHZ, np.nan)], axis=1)


def left_out_pct(X, y, index):
    others = np.arange(len(y)) != index
    return 100 * abs(ClusterPower().fit(X[others], y[others]).predict(X[[index]])[0] / y[index] - 1)


def test_law_of_base_and_switching_is_found():
    model = ClusterPower().fit(X, POWER_MW)
    assert model.base_mw_ == pytest.approx(15, rel=1e-3)
    assert model.switching_mw_ == pytest.approx(350, rel=1e-3)
    assert sum(model.weights_.values()) == pytest.approx(1)
    assert max(left_out_pct(X, POWER_MW, index) for index in (0, 7, len(POWER_MW) - 1)) < 0.5


def test_a_wrong_row_does_not_bend_the_curve():
    wrong = POWER_MW.copy()
    wrong[6] *= 2
    expected = POWER_MW[[2, 10]]
    assert ClusterPower(smooth=False).fit(X, wrong).predict(X[[2, 10]]) == pytest.approx(expected, rel=0.02)


def test_without_voltages_a_clock_between_others_is_within_a_few_percent():
    model = ClusterPower().fit(UNKNOWN_VOLT, POWER_MW)
    assert not model.uses_voltage_
    assert np.isnan(model.base_mw_)
    assert left_out_pct(UNKNOWN_VOLT, POWER_MW, 7) < 2


def test_a_missing_voltage_is_taken_from_its_neighbours():
    gap = X.copy()
    gap[[5, -1], 1] = np.nan
    model = ClusterPower().fit(gap, POWER_MW)
    assert model.uses_voltage_
    assert model.predict(gap[[5, -1]]) == pytest.approx(POWER_MW[[5, -1]], rel=0.03)


def test_bumps_that_no_curve_has_are_smoothed_in():
    bumpy = POWER_MW * (1 + 0.15 * np.sin(4 * np.log(FREQ_GHZ)))
    curve = np.mean([abs(ClusterPower(smooth=False).fit(X, bumpy).predict(X) / bumpy - 1)])
    assert np.mean(abs(ClusterPower().fit(X, bumpy).predict(X) / bumpy - 1)) < curve / 2


def test_two_rows_make_a_line():
    model = ClusterPower().fit(X[[3, 9]], POWER_MW[[3, 9]])
    assert model.predict(X[[6]]) == pytest.approx(POWER_MW[[6]], rel=1e-3)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (X, -POWER_MW, "leave out what cannot be"),
        (X, POWER_MW * np.nan, "NaN"),
        (X[:, :1], POWER_MW, "2 are needed"),
        (X * 0, POWER_MW, "clocks are positive"),
        (X * [1, -1], POWER_MW, "pass NaN where it is not known"),
        (X[[0, 0]], POWER_MW[[0, 0]], "at least 2 clocks"),
    ],
)
def test_bad_tables_are_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        ClusterPower().fit(X, y)


def test_an_unfitted_model_and_a_clock_of_zero_are_refused():
    with pytest.raises(NotFittedError):
        ClusterPower().predict(X)
    with pytest.raises(ValueError, match="clocks are positive"):
        ClusterPower().fit(X, POWER_MW).predict([[0.0, 0.6]])


def test_no_coefficient_is_negative():
    falling = np.array([50.0, 40, 30, 20])
    design = np.stack([np.ones(4), np.arange(4.0)], axis=1)
    assert np.all(fit_nonnegative(design, falling) >= 0)


def test_further_cores_share_what_is_static():
    assert further_core_share([100, 200], [152, 304], [2, 2]) == pytest.approx(0.52)
    assert further_core_share([100], [250], [4]) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="2 or more busy cores"):
        further_core_share([], [], [])
    with pytest.raises(ValueError, match="measure again"):
        further_core_share([100], [90], [2])
