"""Energy of a cluster: power of its clock x the time it was busy. Arithmetic only.

Busy power is ``runtime.device.soc.power_mw``: measured where somebody measured that clock, else modelled and
labelled so. What no table and no model gives is assumed, and said so in the machine's marker: a clock of
unknown power takes the nearest known one's, times the ratio of the clocks; an idle cluster takes
``IDLE_SHARE`` of one core's power at the slowest clock.
"""

from __future__ import annotations

from runtime.device.soc.power import FURTHER_CORE_SHARE, power_mw
from runtime.device.soc.profile import Cluster
from runtime.errors import DeviceStableError

IDLE_SHARE = 0.1
ASSUMED = (
    f"assumed: an idle cluster takes {IDLE_SHARE:.0%} of one core's power at the slowest clock; a clock of "
    "unknown power takes the nearest known one's, times the ratio of the clocks"
)


def has_power(cluster: Cluster) -> bool:
    """Return whether the power of any clock of the cluster is known."""
    return bool(_known_mw(cluster))


def busy_power_mw(cluster: Cluster, freq_khz: int) -> float:
    """Return the power of one busy core in mW.

    Raises:
        ValueError: no clock of the cluster has a power.
    """
    known_mw = _known_mw(cluster)
    if not known_mw:
        raise ValueError(f"no power is known for any clock of {cluster.name!r}; see has_power")
    nearest_khz = min(known_mw, key=lambda khz: abs(khz - freq_khz))
    return known_mw[nearest_khz] * freq_khz / nearest_khz


def idle_power_mw(cluster: Cluster) -> float:
    """Return the assumed power of the idle cluster in mW."""
    return IDLE_SHARE * busy_power_mw(cluster, cluster.opps[0].freq_khz)


def _known_mw(cluster: Cluster) -> dict[int, float]:
    known = {}
    for opp in cluster.opps:
        try:
            known[opp.freq_khz] = power_mw(cluster, opp.freq_khz).power_mw
        except DeviceStableError:
            continue
    return known


class PowerTable:
    """Mean power of a cluster, from tables made once: it is asked a hundred times a second."""

    def __init__(self, cluster: Cluster):
        self._busy_mw = {opp.freq_khz: busy_power_mw(cluster, opp.freq_khz) for opp in cluster.opps}
        self._idle_mw = idle_power_mw(cluster)

    def mean_mw(self, freq_khz: int, busy_cores: float) -> float:
        """Return the mean power in mW while ``busy_cores`` of the cluster's cores were busy.

        Args:
            busy_cores: sum over cores of the share of time each was busy; 0.5 is one core half the time.
        """
        first, further = min(busy_cores, 1.0), max(busy_cores - 1.0, 0.0)
        busy_mw = self._busy_mw[freq_khz] * (first + FURTHER_CORE_SHARE * further)
        return busy_mw + self._idle_mw * (1 - first)
