"""Which of a SoC's settings a page is measured on."""

from __future__ import annotations

from runtime.device.setting import Setting
from runtime.device.soc import SocProfile


def spread_settings(profile: SocProfile, per_cluster: int) -> tuple[Setting, ...]:
    """Return settings of one core: of each cluster its slowest and fastest clock, and evenly between them.

    Args:
        per_cluster: how many clocks; 1: the fastest.
    """
    found = []
    for cluster in profile.clusters:
        clocks = sorted(opp.freq_khz for opp in cluster.opps)
        if not clocks:
            found.append(Setting(cluster.name, None))
            continue
        last, n = len(clocks) - 1, min(per_cluster, len(clocks))
        places = [last] if n == 1 else sorted({round(i * last / (n - 1)) for i in range(n)})
        found += [Setting(cluster.name, clocks[place]) for place in places]
    return tuple(found)
