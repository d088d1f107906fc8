"""What work costs on a device that stays awake: the one account that all energies here are kept by.

Of each cluster's supply, over a span T in which something kept the cluster up for t_on and cores were busy
for t_busy:

    E = D T + (S - D) t_on + (P(f, n) - S) t_busy

D: the cluster's power collapsed; S: powered, its cores clock-gated, at clock f; P(f, n): with n busy cores.
The cluster is up for a share ``a`` of the time anyway, for what others do on it. So a millisecond of work
adds (P - S) + (1 - a) (S - D) to what the device takes in any case: ``Rail.work_mw``, by which settings are
compared. Arithmetic only; changes of clock or core are counted by whoever sees them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rail:
    """The supply of one cluster, its powers by clock in kHz.

    Attributes:
        busy_mw: P with one busy core.
        further_mw: what each further busy core adds.
        idle_mw: S.
        collapsed_mw: D.
        up_share: a, 0 to 1.

    Example:
        >>> rail = Rail({500_000: 53.0}, {500_000: 30.0}, {500_000: 14.0}, collapsed_mw=1.0, up_share=0.5)
        >>> rail.work_mw(500_000), rail.work_mw(500_000, cores=2)
        (45.5, 75.5)
        >>> rail.mean_mw(500_000, busy_cores=0.0), rail.mean_mw(500_000, busy_cores=1.0)
        (7.5, 53.0)
    """

    busy_mw: Mapping[int, float]
    further_mw: Mapping[int, float]
    idle_mw: Mapping[int, float]
    collapsed_mw: float = 0.0
    up_share: float = 0.0

    def work_mw(self, freq_khz: int, cores: int = 1) -> float:
        """Return what busy cores add to the power of a device that stays awake."""
        idle_mw = self.idle_mw[freq_khz]
        over_idle_mw = self.busy_mw[freq_khz] - idle_mw + self.further_mw[freq_khz] * (cores - 1)
        return over_idle_mw + (1.0 - self.up_share) * (idle_mw - self.collapsed_mw)

    def mean_mw(self, freq_khz: int, busy_cores: float) -> float:
        """Return the mean power over a span at one clock, E / T, all of it counted.

        Args:
            busy_cores: sum over cores of the share of the span each was busy. Up to one, cores take turns;
                what is above runs beside another.
        """
        first, further = min(busy_cores, 1.0), max(busy_cores - 1.0, 0.0)
        up = self.up_share + (1.0 - self.up_share) * first  # t_on / T, what others do being independent of it
        idle_mw = self.idle_mw[freq_khz]
        busy_mw = (self.busy_mw[freq_khz] - idle_mw) * first + self.further_mw[freq_khz] * further
        return self.collapsed_mw + (idle_mw - self.collapsed_mw) * up + busy_mw


def work_mj(power_mw: float, busy_ms: float) -> float:
    """Return the energy that work adds, from its ``Rail.work_mw`` and how long it was busy.

    Example:
        >>> work_mj(450.0, 20.0)
        9.0
    """
    return power_mw * busy_ms / 1000.0
