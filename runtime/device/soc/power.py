"""Power of a busy cluster at a clock: measured where it is, else modelled and labelled so."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from statistics import fmean

from runtime.device.provenance import Provenance, least_certain, provenance_of
from runtime.device.soc.least_squares import fit_polynomial
from runtime.device.soc.profile import Cluster
from runtime.errors import DeviceStableError

# Second busy core over the first on the Odroid XU3's A15 rail (PARSEC): 899/592, 1490/979 and
# 2511/1637 mW at 1.0, 1.4 and 1.8 GHz. The rest is shared or static. Used for every cluster
# whose profile has no figure of its own.
FURTHER_CORE_SHARE = 0.52
COEFFICIENT_LABEL = "modelled: device-tree coefficient, C f V^2 (7-68 % off measured power)"
_MIN_FIT_ROWS = 3


@dataclass(frozen=True)
class PowerFigure:
    """Power in mW and where the figure comes from."""

    power_mw: float
    source: str

    @property
    def provenance(self) -> Provenance:
        """How the figure came about."""
        return provenance_of(self.source)


def power_mw(cluster: Cluster, freq_khz: int, threads: int = 1) -> PowerFigure:
    """Return the power of ``cluster`` with ``threads`` busy cores at ``freq_khz``.

    In order: the table's row; a straight line between the two table rows around it;
    P = b + C f V^2 fitted to the table; the device tree's C f V^2.

    Args:
        cluster: from a SoC profile.
        freq_khz: one of the cluster's clocks; of several clusters as one, see ``Cluster.members``.
        threads: busy cores, at most the cluster's CPUs.

    Raises:
        ValueError: not a clock of the cluster, or more threads than it has CPUs.
        DeviceStableError: neither power nor voltage is published for this clock.

    Example:
        >>> from runtime.device.soc import load_profile
        >>> power_mw(load_profile("sm8250").cluster("big"), 844800).power_mw
        172.16
    """
    if not 1 <= threads <= len(cluster.cpus):
        raise ValueError(f"threads is {threads}; allowed on {cluster.name!r}: 1 to {len(cluster.cpus)}")
    if cluster.members:
        return _of_members(cluster, freq_khz, threads)
    one = _one_core(cluster, freq_khz)
    if threads == 1:
        return one
    share, whose = cluster.further_core_share, "its own table"
    if share is None:
        share, whose = FURTHER_CORE_SHARE, "Odroid XU3 A15"
    source = f"{one.source}; each further core +{100 * share:.0f} % ({whose})"
    return PowerFigure(one.power_mw * (1 + share * (threads - 1)), source)


def _of_members(cluster: Cluster, freq_khz: int, threads: int) -> PowerFigure:
    """Return the sum over clusters that are used as one, each at its clock that is nearest."""
    figures = [power_mw(part, part.nearest_khz(freq_khz), count) for part, count in cluster.shares(threads)]
    sources = list(dict.fromkeys(figure.source for figure in figures))
    if len(sources) > 1:
        kind = least_certain(figure.provenance for figure in figures)
        sources = [f"{kind}: the sum of {len(figures)} clusters ({'; '.join(sources)})"]
    return PowerFigure(sum(figure.power_mw for figure in figures), sources[0])


def _one_core(cluster: Cluster, freq_khz: int) -> PowerFigure:
    opp = cluster.opp(freq_khz)
    table = [(row.freq_khz, row.power_mw) for row in cluster.opps if row.power_mw is not None]
    if opp.power_mw is not None:
        return PowerFigure(opp.power_mw, str(cluster.power_source))
    below = [row for row in table if row[0] < freq_khz]
    above = [row for row in table if row[0] > freq_khz]
    if below and above:
        (low_khz, low_mw), (high_khz, high_mw) = below[-1], above[0]
        share = (freq_khz - low_khz) / (high_khz - low_khz)
        source = f"modelled: between {low_khz / 1000:g} and {high_khz / 1000:g} MHz of {cluster.power_source}"
        return PowerFigure(low_mw + share * (high_mw - low_mw), source)
    fit = _fit(cluster)
    if fit is not None and opp.voltage_uv is not None:
        base_mw, coefficient, mape_pct = fit
        fitted = f"modelled: P = b + C f V^2, {mape_pct:.1f} % off the rows it is fitted to"
        source = f"{fitted}, of {cluster.power_source}"
        return PowerFigure(base_mw + coefficient * _f_v2(freq_khz, opp.voltage_uv), source)
    if cluster.power_coefficient is not None and opp.voltage_uv is not None:
        power_uw = cluster.power_coefficient * _f_v2(freq_khz, opp.voltage_uv)
        return PowerFigure(power_uw / 1000, COEFFICIENT_LABEL)
    missing = "its voltage is not published" if opp.voltage_uv is None else "no power_coefficient is known"
    clocks = [khz for khz, _ in table]
    have = f"has measured power from {clocks[0]} to {clocks[-1]} kHz" if clocks else "has no measured power"
    raise DeviceStableError(
        f"no power is known for {cluster.name} at {freq_khz} kHz: {missing} and the cluster {have}; "
        "choose another clock, or add power_mw to a profile of your own (PATH.toml)"
    )


@functools.lru_cache(maxsize=256)
def _fit(cluster: Cluster) -> tuple[float, float, float] | None:
    """Return b in mW, C in mW/(MHz V^2) and the fit's mean absolute error in %, or ``None``.

    Errors are relative, so that the slow clocks count as much as the fast ones; neither leakage
    nor switched capacitance can be negative.
    """
    # predictors.ClusterPower is closer on noisy tables, but devices have neither scikit-learn nor numpy, and
    # a figure must not depend on what is installed. This one is asked beyond the measured clocks only.
    rows = [(o.freq_khz, o.voltage_uv, o.power_mw) for o in cluster.opps if o.voltage_uv and o.power_mw]
    if len(rows) < _MIN_FIT_ROWS:
        return None
    x = [_f_v2(khz, microvolt) for khz, microvolt, _ in rows]
    power = [float(power_mw) for _, _, power_mw in rows]
    fitted = fit_polynomial(x, power, [1 / p**2 for p in power], degree=1)
    if fitted is None:
        return None
    base, slope = fitted
    if base < 0:
        shares = [a / p for a, p in zip(x, power, strict=True)]
        base, slope = 0.0, sum(shares) / sum(share**2 for share in shares)
    if slope <= 0:
        return None
    error_pct = 100 * fmean(abs((base + slope * a) / p - 1) for a, p in zip(x, power, strict=True))
    return base, slope, error_pct


def _f_v2(freq_khz: int, voltage_uv: int) -> float:
    """Return f V^2 in MHz V^2."""
    return freq_khz / 1e3 * (voltage_uv / 1e6) ** 2
