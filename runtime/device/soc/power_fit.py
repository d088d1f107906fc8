"""A cluster's measured clocks as arrays, and the power model learnt from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from runtime.device.soc.profile import Cluster
from runtime.errors import DataError
from runtime.extras import require

if TYPE_CHECKING:
    from predictors import ClusterPower


def power_rows(cluster: Cluster) -> tuple[np.ndarray, np.ndarray]:
    """Return clock in GHz and supply in V (NaN: not published), shape (n, 2), and power in mW, shape (n,)."""
    opps = [opp for opp in cluster.opps if opp.power_mw]
    X = [[opp.freq_khz / 1e6, np.nan if opp.voltage_uv is None else opp.voltage_uv / 1e6] for opp in opps]
    return np.array(X, dtype=np.float64).reshape(-1, 2), np.array(
        [opp.power_mw for opp in opps], dtype=np.float64
    )


def fit_power(cluster: Cluster) -> ClusterPower:
    """Return a model of one busy core's power over the clock, fitted to the cluster's measured rows.

    Raises:
        DataError: fewer than two clocks have a power.
        MissingExtra: scikit-learn is not installed.

    Example:
        >>> from runtime.device.soc import load_profile
        >>> model = fit_power(load_profile("sm8150").cluster("mid"))
        >>> bool(90 < model.predict([[0.7104, 0.756]])[0] < 200)  # the row that was screened out
        True
    """
    require("sklearn", extra="predict")
    from predictors import ClusterPower

    X, power_mw = power_rows(cluster)
    try:
        return ClusterPower().fit(X, power_mw)
    except ValueError as err:
        raise DataError(f"cluster {cluster.name!r} gives no power model: {err}") from err
