"""Power of one busy core at any clock of its cluster, learnt from the clocks that were measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from predictors.nonnegative import fit_nonnegative
from predictors.power_curve import VOLTAGE_FREE, WITH_VOLTAGE, krige

MIN_ROWS = 2
_MIN_ROWS_TO_CHOOSE = 4  # below, one row left out takes too much away to judge by
_MIN_SHARE_OF_VOLTAGES = 0.5
# Voltage steps and fuel gauges leave bumps that no curve of three parameters has. (length in log
# clock, share of noise); None is the bare curve.
_SMOOTHERS = (None, *((length, noise) for length in (0.1, 0.3, 0.8) for noise in (0.03, 0.3, 1.0)))
_CAP = 0.15  # one wild row must not decide which curve is believed
_SHARPNESS = 4.0  # of the weights: error to the power -4,
_ROWS_PER_SHARPNESS = 4  # less where few rows say little of which curve is right
_LEAST_ERROR = 1e-4
_LEAST_MW = 1e-6


@dataclass(frozen=True)
class _Rows:
    freq_ghz: np.ndarray
    volt: np.ndarray
    power_mw: np.ndarray

    def pick(self, which: np.ndarray) -> _Rows:
        return _Rows(self.freq_ghz[which], self.volt[which], self.power_mw[which])


class ClusterPower(RegressorMixin, BaseEstimator):
    """Predict the power of a busy core from clock and voltage.

    P = b + C f V^2, the same with leakage that grows with the voltage, and a polynomial of the clock
    for clusters whose voltages nobody published; each bare and with its residuals smoothed over the
    clock. Each predicts every row from the others, and they are averaged (in log power) with weights
    that fall with that error. Where rows are few the simplest curve stands alone.

    Args:
        smooth: smooth the residuals, too; ``False`` keeps to the bare curves.

    Attributes:
        weights_: of each (curve, smoother), summing to 1.
        base_mw_, switching_mw_: b in mW and C in mW/(GHz V^2) of the simplest curve; NaN where the
            voltage is not known.
        loo_mape_pct_: error of the single best curve on rows left out, in percent.

    Example:
        >>> freq_ghz, volt = np.array([0.5, 1.0, 1.5, 2.0]), np.array([0.6, 0.7, 0.8, 1.0])
        >>> model = ClusterPower().fit(np.stack([freq_ghz, volt], axis=1), 20 + 400 * freq_ghz * volt**2)
        >>> round(float(model.predict([[1.2, 0.74]])[0]), 1)
        282.8
    """

    def __init__(self, smooth: bool = True):
        self.smooth = smooth

    def fit(self, X: np.ndarray, y: np.ndarray) -> ClusterPower:
        """Fit to a table.

        Args:
            X: clock in GHz and supply in V (NaN where not published), shape (n_samples, 2).
            y: power of one busy core in mW, positive, shape (n_samples,).

        Raises:
            ValueError: fewer than two rows, clocks all alike, or values that cannot be.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", y_numeric=True)
        rows = self._checked(X, y)
        known = ~np.isnan(rows.volt)
        clocks_known = len(np.unique(rows.freq_ghz[known]))
        self.uses_voltage_ = bool(known.mean() > _MIN_SHARE_OF_VOLTAGES and clocks_known >= MIN_ROWS)
        if self.uses_voltage_:
            clocks, first = np.unique(rows.freq_ghz[known], return_index=True)
            self._table_ = (clocks, rows.volt[known][first])
            rows = _Rows(rows.freq_ghz, self._volt(rows.freq_ghz, rows.volt), rows.power_mw)
        self._rows_ = rows
        self._curves_ = dict(WITH_VOLTAGE | VOLTAGE_FREE if self.uses_voltage_ else VOLTAGE_FREE)
        self._smoothers_ = _SMOOTHERS if self.smooth else _SMOOTHERS[:1]
        self._weigh(rows)
        self._coefficients_ = self._fit_curves(rows)
        simplest = self._coefficients_.get("switching", np.full(2, np.nan))
        self.base_mw_, self.switching_mw_ = map(float, simplest)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return power in mW, shape (n_samples,); a missing voltage is taken from the table's clocks."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        if not np.all(X[:, 0] > 0):
            raise ValueError(f"a clock of {np.nanmin(X[:, 0]):g} GHz was asked; clocks are positive")
        volt = self._volt(X[:, 0], X[:, 1]) if self.uses_voltage_ else X[:, 1]
        each = self._predict_all(self._rows_, self._coefficients_, X[:, 0], volt)
        weights = np.array(list(self.weights_.values()))
        power: np.ndarray = np.exp(weights @ each)
        return power

    def _checked(self, X: np.ndarray, y: np.ndarray) -> _Rows:
        if X.shape[1] != 2:
            raise ValueError(f"X has {X.shape[1]} columns; 2 are needed: clock in GHz, supply in V")
        freq_ghz, volt = X.T
        if not np.all(freq_ghz > 0):
            raise ValueError(f"a clock of {np.min(freq_ghz):g} GHz was given; clocks are positive")
        if np.any(volt <= 0):
            raise ValueError(f"a supply of {np.nanmin(volt):g} V was given; pass NaN where it is not known")
        if not np.all(y > 0):
            raise ValueError(f"a power of {np.min(y):g} mW was given; leave out what cannot be")
        if len(np.unique(freq_ghz)) < MIN_ROWS:
            raise ValueError(f"{len(y)} rows at one clock; a curve needs at least {MIN_ROWS} clocks")
        order = np.argsort(freq_ghz, kind="stable")
        return _Rows(freq_ghz, volt, y).pick(order)

    def _volt(self, freq_ghz: np.ndarray, volt: np.ndarray) -> np.ndarray:
        """Return ``volt`` with its gaps filled: between the table's clocks, above them by the last step."""
        clocks, volts = self._table_
        filled = np.interp(freq_ghz, clocks, volts)
        slope = max((volts[-1] - volts[-2]) / (clocks[-1] - clocks[-2]), 0.0)
        filled += slope * np.maximum(freq_ghz - clocks[-1], 0.0)
        return np.where(np.isnan(volt), filled, volt)

    def _fit_curves(self, rows: _Rows) -> dict[str, np.ndarray]:
        return {
            name: fit_nonnegative(design(rows.freq_ghz, rows.volt), rows.power_mw)
            for name, design in self._curves_.items()
        }

    def _predict_all(
        self, rows: _Rows, coefficients: dict[str, np.ndarray], freq_ghz: np.ndarray, volt: np.ndarray
    ) -> np.ndarray:
        """Return log power by every curve and smoother, shape (n_curves * n_smoothers, n_samples)."""
        log_clock, at = np.log(rows.freq_ghz), np.log(freq_ghz)
        each = []
        for name, design in self._curves_.items():
            fitted = np.log(np.maximum(design(rows.freq_ghz, rows.volt) @ coefficients[name], _LEAST_MW))
            curve = np.log(np.maximum(design(freq_ghz, volt) @ coefficients[name], _LEAST_MW))
            residual = np.log(rows.power_mw) - fitted
            for smoother in self._smoothers_:
                each.append(curve if smoother is None else curve + krige(log_clock, residual, at, *smoother))
        return np.stack(each)

    def _weigh(self, rows: _Rows) -> None:
        names = [(curve, smoother) for curve in self._curves_ for smoother in self._smoothers_]
        if len(rows.power_mw) < _MIN_ROWS_TO_CHOOSE:
            self.weights_ = {name: float(index == 0) for index, name in enumerate(names)}
            self.loo_mape_pct_ = np.nan
            return
        everything = np.arange(len(rows.power_mw))
        off = []
        for index in everything:
            others, one = rows.pick(everything != index), rows.pick(everything == index)
            each = self._predict_all(others, self._fit_curves(others), one.freq_ghz, one.volt)
            off.append(np.abs(each[:, 0] - np.log(one.power_mw)))
        error = np.minimum(off, _CAP).mean(axis=0)
        weights = (error + _LEAST_ERROR) ** -min(_SHARPNESS, len(everything) / _ROWS_PER_SHARPNESS)
        self.weights_ = dict(zip(names, map(float, weights / weights.sum()), strict=True))
        best = np.stack(off)[:, error.argmin()]
        self.loo_mape_pct_ = float(100 * np.mean(np.expm1(best)))


def further_core_share(one_core_mw: np.ndarray, cores_mw: np.ndarray, cores: np.ndarray) -> float:
    """Return what each further busy core adds, as a share of the first one's power.

    P(n) = P(1) (1 + share (n - 1)): what the cores have in common (the rail's static part, the L2) is
    paid once, with the first.

    Args:
        one_core_mw: power with one busy core, shape (n_samples,).
        cores_mw: power with ``cores`` busy cores at the same clocks, shape (n_samples,).
        cores: their number, at least 2, shape (n_samples,).

    Raises:
        ValueError: nothing measured with more than one core, or power that falls with more cores.

    Example:
        >>> one_mw, two_mw = np.array([592, 979, 1637]), np.array([899, 1490, 2511])
        >>> round(further_core_share(one_mw, two_mw, np.array([2, 2, 2])), 2)
        0.52
    """
    one, several, n = (np.asarray(values, dtype=np.float64) for values in (one_core_mw, cores_mw, cores))
    if not len(n) or np.min(n) < 2 or not np.all(one > 0):
        raise ValueError("no row with 2 or more busy cores; measure one and two at the same clock")
    share = float(np.median((several / one - 1) / (n - 1)))
    if share < 0:
        raise ValueError(f"further cores lower the power (share {share:.2f}); measure again, all loaded")
    return share
