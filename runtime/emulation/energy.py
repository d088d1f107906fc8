"""Energy of a cluster: power of its clock x the time it was busy. Arithmetic only.

Busy power is ``runtime.soc.power_mw``: measured where somebody measured that clock, else modelled and
labelled so. Nobody publishes the power of an idle cluster beside these tables, so idle power is an
assumption: ``IDLE_SHARE`` of one core's at the slowest clock.
"""

from __future__ import annotations

from runtime.errors import DeviceStableError
from runtime.soc.power import FURTHER_CORE_SHARE, power_mw
from runtime.soc.profile import Cluster

IDLE_SHARE = 0.1
IDLE_NOTE = f"idle power is modelled: {IDLE_SHARE:.0%} of one core's at the slowest clock"


def busy_power_mw(cluster: Cluster, freq_khz: int) -> float:
    """Return the power of one busy core in mW; a clock of which none is known takes the next slower one's.

    Raises:
        DeviceStableError: no clock at or below it has a power.
    """
    for opp in reversed([opp for opp in cluster.opps if opp.freq_khz <= freq_khz]):
        try:
            return power_mw(cluster, opp.freq_khz).power_mw
        except DeviceStableError:
            continue
    return power_mw(cluster, freq_khz).power_mw


def idle_power_mw(cluster: Cluster) -> float:
    """Return the assumed power of the idle cluster in mW."""
    return IDLE_SHARE * busy_power_mw(cluster, cluster.opps[0].freq_khz)


def cluster_power_mw(cluster: Cluster, freq_khz: int, busy_cores: float) -> float:
    """Return the mean power in mW while ``busy_cores`` of the cluster's cores were busy.

    Args:
        busy_cores: sum over cores of the share of time each was busy; 0.5 is one core half the time.
    """
    first, further = min(busy_cores, 1.0), max(busy_cores - 1.0, 0.0)
    busy_mw = busy_power_mw(cluster, freq_khz) * (first + FURTHER_CORE_SHARE * further)
    return busy_mw + idle_power_mw(cluster) * (1 - first)
