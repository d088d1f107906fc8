"""Find measured rows that cannot be true, by what physics and their neighbours say."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from runtime.device.soc.least_squares import evaluate, fit_polynomial
from runtime.device.soc.profile import Cluster, LeftOut

MIN_POWER_MW = 1.0  # the least published is 7.9 mW (an A55 at 300 MHz)
# The least published is 22 mW per GHz (an A53), the most 1,173. What a table in W says of its fast clocks is
# above ``MIN_POWER_MW``, but not above this: 4.6 W at 3 GHz, read as mW, is 1.5 per GHz.
MIN_POWER_PER_GHZ_MW = 4.0
SPEED_TOLERANCE = 0.10  # CoreMark per MHz is one figure per core type: published rows agree within 4 %
MIN_SPEED_GAIN = 0.25  # of the clock's step; less means the clock asked for was never reached
POWER_TOLERANCE = 1.25  # factor off the cluster's trend; a voltage step alone moves a row by up to 15 %
FASTER_ROWS = 3  # their median is compared: one of them may be the wrong one
MIN_ROWS = 6  # below this a trend of three parameters says nothing


def screen(cluster: Cluster) -> tuple[Cluster, tuple[LeftOut, ...]]:
    """Return the cluster without its untrue powers, and the rows they stood in.

    A row is left out when

    * its power is below ``MIN_POWER_MW`` or, per GHz, ``MIN_POWER_PER_GHZ_MW``;
    * its speed per MHz is off the cluster's median by more than ``SPEED_TOLERANCE``, or its speed
      does not rise with the clock: the core did not run at the clock the row is filed under;
    * its power is above that of the clocks faster than it by more than a factor of
      ``POWER_TOLERANCE``: neither clock nor voltage falls on the way up;
    * its power is off the cluster's trend by more than that factor.

    The clock stays in the list of OPPs: only its power is not believed.
    """
    reasons = _too_little(cluster) | _wrong_speed(cluster)
    # Each rule sees the same rows: on a noisy table one rule after the other would whittle it away.
    reasons |= _off_trend(cluster, set(reasons)) | _above_faster_clocks(cluster, set(reasons))
    left_out = tuple(
        LeftOut(cluster.name, opp.freq_khz, opp.power_mw, opp.coremark, reasons[opp.freq_khz])
        for opp in cluster.opps
        if opp.freq_khz in reasons and opp.power_mw is not None
    )
    opps = tuple(replace(opp, power_mw=None) if opp.freq_khz in reasons else opp for opp in cluster.opps)
    return replace(cluster, opps=opps), left_out


def _too_little(cluster: Cluster) -> dict[int, str]:
    return {
        opp.freq_khz: f"a busy core cannot take {opp.power_mw:.4g} mW"
        for opp in cluster.opps
        if opp.power_mw is not None
        and opp.power_mw < max(MIN_POWER_MW, MIN_POWER_PER_GHZ_MW * opp.freq_khz / 1e6)
    }


def _wrong_speed(cluster: Cluster) -> dict[int, str]:
    rows = [(opp.freq_khz, opp.coremark) for opp in cluster.opps if opp.coremark]
    if len(rows) < MIN_ROWS:
        return {}
    usual = median(speed / khz for khz, speed in rows)
    reasons = {}
    for khz, speed in rows:
        ratio = speed / khz / usual
        if abs(ratio - 1) > SPEED_TOLERANCE:
            reasons[khz] = f"speed per MHz is {ratio:.2f} of the cluster's median: it ran at another clock"
    believed = [row for row in rows if row[0] not in reasons]
    for (low_khz, low), (khz, speed) in itertools.pairwise(believed):
        if speed / low - 1 < MIN_SPEED_GAIN * (khz / low_khz - 1):
            reasons[khz] = f"no faster than at {low_khz / 1000:g} MHz: the clock was not reached"
    return reasons


def _above_faster_clocks(cluster: Cluster, skip: set[int]) -> dict[int, str]:
    rows = [(opp.freq_khz, opp.power_mw) for opp in cluster.opps if opp.power_mw and opp.freq_khz not in skip]
    if len(rows) < MIN_ROWS:
        return {}
    reasons = {}
    for index, (khz, power_mw) in enumerate(rows):
        faster = [power for _, power in rows[index + 1 : index + 1 + FASTER_ROWS]]
        if len(faster) == FASTER_ROWS and power_mw > POWER_TOLERANCE * median(faster):
            usual_mw = median(faster)
            reasons[khz] = f"{power_mw:.4g} mW, the next {FASTER_ROWS} faster clocks take {usual_mw:.3g} mW"
    return reasons


def _off_trend(cluster: Cluster, skip: set[int]) -> dict[int, str]:
    rows = [(opp.freq_khz, opp.power_mw) for opp in cluster.opps if opp.power_mw and opp.freq_khz not in skip]
    if len(rows) < MIN_ROWS:
        return {}
    expected_mw = _trend([khz for khz, _ in rows], [power_mw for _, power_mw in rows])
    reasons = {}
    for (khz, got_mw), usual_mw in zip(rows, expected_mw, strict=True):
        if not 1 / POWER_TOLERANCE <= got_mw / usual_mw <= POWER_TOLERANCE:
            reasons[khz] = f"{got_mw:.4g} mW, its neighbours' trend says {usual_mw:.3g} mW"
    return reasons


def _trend(khz: Sequence[float], power_mw: Sequence[float]) -> list[float]:
    """Return a quadratic in log power over log clock, fitted to the least absolute deviation.

    Least absolutes (iteratively reweighted least squares), because the rows looked for are
    exactly those that would pull a least-squares curve towards themselves.
    """
    fastest_khz = max(khz)
    x = [math.log(clock / fastest_khz) for clock in khz]
    target = [math.log(power) for power in power_mw]
    fitted, weights = target, [1.0] * len(x)
    for _ in range(50):
        coefficients = fit_polynomial(x, target, weights, degree=2)
        if coefficients is None:
            break  # on fewer than three clocks everything lies on the trend
        fitted = [evaluate(coefficients, place) for place in x]
        weights = [1 / max(abs(a - b), 1e-3) for a, b in zip(target, fitted, strict=True)]
    return [math.exp(value) for value in fitted]
