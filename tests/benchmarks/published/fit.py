"""Fit the latency model to published rows, and judge the fit on SoCs and networks it did not see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from predictors import FactoredLatency
from runtime.device.soc.latency_inputs import latency_inputs
from runtime.device.soc.latency_model import LatencyFit
from runtime.device.soc.latency_terms import FACTORS, TERMS, factor_of
from tests.benchmarks.published.rows import PublishedRow

CONFIDENCE = 0.9
_FOLDS = 10
# Each SoC, engine and precision counts as this many rows, however many were published.
_ROWS_OF_A_GROUP = 9.0


class Table:
    """Rows as arrays: ``terms`` (n_rows, n_terms) in ms, ``factors`` (n_rows, n_factors), ``latency_ms``."""

    def __init__(self, rows: Sequence[PublishedRow]):
        self.rows = rows
        self.latency_ms = np.array([row.latency_ms for row in rows])
        terms, factors = zip(*(inputs_of(row) for row in rows), strict=True)
        self.terms = np.array([[t[name] for name in TERMS] for t in terms])
        names = dict.fromkeys((*FACTORS, *(name for f in factors for name in sorted(f))))
        self.names = tuple(names)
        self.factors = np.array([[f.get(name, 0.0) for name in self.names] for f in factors])
        groups = [(row.soc, row.engine, row.precision) for row in rows]
        sizes = Counter(groups)
        self.weight = np.array([_ROWS_OF_A_GROUP / sizes[group] for group in groups])

    def fit(self, chosen: np.ndarray) -> FactoredLatency:
        """Return the model fitted to the rows where ``chosen``, shape (n_rows,), is true."""
        factors = [factor_of(name) for name in self.names]
        model = FactoredLatency(
            [[float(term in factor.terms) for term in TERMS] for factor in factors],
            [factor.prior for factor in factors],
            [factor.spread for factor in factors],
        )
        return model.fit(
            self.terms[chosen], self.factors[chosen], self.latency_ms[chosen], self.weight[chosen]
        )

    def held_out_ms(self, groups: Sequence[object]) -> np.ndarray:
        """Return each row's latency from a model that saw no row of its group, shape (n_rows,)."""
        predicted = np.empty(len(self.rows))
        labels = np.array([str(group) for group in groups])
        for label in np.unique(labels):
            mine = labels == label
            predicted[mine] = self.fit(~mine).predict(self.terms[mine], self.factors[mine])
        return predicted


def fit_latency(table: Table) -> tuple[LatencyFit, np.ndarray]:
    """Return the fit to all rows, and each row's latency from a fit without its SoC, shape (n_rows,)."""
    unseen_ms = table.held_out_ms([row.soc for row in table.rows])
    folds = _folds([(row.soc, row.network) for row in table.rows])
    seen_ms = table.held_out_ms(folds)
    model = table.fit(np.ones(len(table.rows), bool))
    coefficients = {name: round(float(c), 4) for name, c in zip(table.names, model.coef_, strict=True)}
    (low, high), (seen_low, seen_high) = (_bounds(table.latency_ms / ms) for ms in (unseen_ms, seen_ms))
    fit = LatencyFit(coefficients, low, high, seen_low, seen_high, CONFIDENCE, len(table.rows))
    return fit, unseen_ms


def _folds(groups: Sequence[tuple[str, str]]) -> list[int]:
    """Return a fold for each row; rows of a group share it."""
    names = sorted(set(groups))
    order = np.random.default_rng(0).permutation(len(names))
    fold = {name: int(place) % _FOLDS for name, place in zip(names, order, strict=True)}
    return [fold[group] for group in groups]


def inputs_of(row: PublishedRow) -> tuple[dict[str, float], dict[str, float]]:
    """Return the row's terms in ms and the values of its factors."""
    cluster, threads = row.profile.cluster(row.setting.cluster), row.setting.threads
    return latency_inputs(
        row.workload, cluster, cluster.opps[-1].freq_khz, threads, row.precision, row.family, row.soc
    )


def _bounds(ratios: np.ndarray) -> tuple[float, float]:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(ratios, (tail, 1 - tail))
    return round(float(low), 3), round(float(high), 3)
