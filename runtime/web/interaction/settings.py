"""Which of a SoC's settings a page is measured on."""

from __future__ import annotations

import math
import random

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


def drawn_settings(profile: SocProfile, n: int, least_capacity: float, seed: str) -> tuple[Setting, ...]:
    """Return the fastest setting of one core, and ``n`` others, one from each equal part of log(capacity).

    Pages that each have others cover all of a SoC's settings between them. Where no clock can be set, each
    cluster is one.

    Args:
        least_capacity: of 1024; slower settings are left out.
        seed: of the draw.
    """
    offered = sorted(
        (
            (capacity, Setting(cluster.name, opp.freq_khz))
            for cluster in profile.clusters
            for opp in cluster.opps
            if (capacity := float(profile.capacity(cluster, opp.freq_khz))) >= least_capacity
        ),
        key=lambda each: each[0],
    )
    if not offered:  # clocks are the kernel's choice
        return spread_settings(profile, 1)
    fastest = offered.pop()[1]
    if not offered:
        return (fastest,)
    draw = random.Random(seed)
    low, high = (math.log(offered[end][0]) for end in (0, -1))
    parts: dict[int, list[Setting]] = {}
    for capacity, setting in offered:
        place = int(n * (math.log(capacity) - low) / max(high - low, 1e-9))
        parts.setdefault(min(place, n - 1), []).append(setting)
    return (fastest, *(draw.choice(parts[place]) for place in sorted(parts)))
