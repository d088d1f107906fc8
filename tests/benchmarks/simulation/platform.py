"""A SoC profile as the simulator's table of operating points."""

from __future__ import annotations

import numpy as np

from runtime.choose.simulation import Platform
from runtime.device.soc import SocProfile, power_mw
from runtime.device.soc.power import NOMINAL, Assumed
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.errors import DeviceStableError


def platform_of(
    profile: SocProfile,
    *,
    idle_mw: float = 0.0,
    transition_ms: float = 0.1,
    transition_uj: float = 0.0,
    background: float = 0.0,
    assumed: Assumed = NOMINAL,
) -> Platform:
    """Return the table of a profile's operating points of known power.

    Power is what one busy core adds to a device that stays awake (``runtime.device.soc.account``); a cluster
    without any is left out and named. Speed is the kernel's capacity: linear in the clock.

    Args:
        assumed: what the profile leaves open.

    Raises:
        DeviceStableError: no clock of the profile has a known power, or clusters' are on unlike bases.
    """
    if profile.unlike_bases:
        raise DeviceStableError(f"{profile.unlike_bases}; simulate on a profile of one basis")
    rows: list[tuple[int, int, float, float]] = []
    left_out = []
    for number, cluster in enumerate(profile.clusters):
        for opp in cluster.opps:
            try:
                figure = power_mw(cluster, opp.freq_khz, assumed=assumed)
            except DeviceStableError:
                left_out.append(f"{cluster.name}/{opp.freq_khz}")
                continue
            rows.append((number, opp.freq_khz, profile.capacity(cluster, opp.freq_khz), figure.power_mw))
    table = np.array(rows, dtype=float).reshape(-1, 4)
    top = int(np.argmax(table[:, 2])) if len(table) else 0
    scale = FULL_CAPACITY / table[top, 2] if len(table) else 1.0
    return Platform(
        name=profile.name,
        cluster_names=tuple(cluster.name for cluster in profile.clusters),
        cluster=table[:, 0].astype(int),
        freq_khz=table[:, 1].astype(int),
        capacity=table[:, 2] * scale,
        power_mw=table[:, 3],
        top_khz=int(table[top, 1]) if len(table) else 0,
        idle_mw=idle_mw,
        transition_ms=transition_ms,
        transition_uj=transition_uj,
        background=background,
        left_out=tuple(left_out),
    )
