"""What a page shows at settings that nobody measured: its own curve through those that were."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from runtime.device.setting import Setting
from runtime.device.soc import SocProfile, setting_power
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.web.learning.baselines import PageTruth
from runtime.web.learning.choice import FrameEstimate
from runtime.web.learning.model import WayModel, answering_anywhere
from runtime.web.learning.table import GestureTable


def page_truth(
    model: WayModel, table: GestureTable, settings: Sequence[Setting], profile: SocProfile
) -> PageTruth:
    """Return what one page shows under one gesture at ``settings``.

    A curve that rises with the capacity, fitted to all that was measured of the page.

    Args:
        model: fitted with the page.
        table: rows of the page under the gesture, and no others.
    """
    X = model.of_table(table)
    capacities = [profile.capacity(s.cluster, s.freq_khz) / FULL_CAPACITY for s in settings]
    there = np.tile(X[0], (len(settings), 1))
    there[:, 0] = capacities
    there[:, 2] = [table.clusters.index(setting.cluster) for setting in settings]
    with answering_anywhere(model.frames) as rate:
        effect = rate.observe(X, table.fps)
        fps, _, _, busy = rate.estimate(there, effect).T
    ceiling_fps = float(rate.curve_.ceiling * X[0, 1])

    def shown(frames_per_s: float) -> float:
        return float(ceiling_fps * np.exp(rate.curve_.log_bend(np.log(frames_per_s / ceiling_fps))))

    powers = [setting_power(profile, setting) for setting in settings]
    estimates = tuple(
        FrameEstimate(setting, frames, frames, frames, share, None if power is None else power.power_mw)
        for setting, frames, share, power in zip(settings, fps.tolist(), busy.tolist(), powers, strict=True)
    )
    spread = spread_of(rate.curve_.sharpness)
    return PageTruth(estimates, fps / busy, shown, table.rows[0].refresh_hz, spread)


def spread_of(sharpness: float) -> float:
    """Return how much frames differ where the rate bends so sharply: of the logarithm of a frame's work.

    A core that has time for just as many frames as the display shows loses those that take longer than the
    mean one. Of lognormal work the mean of what is above it is ``2 normal_cdf(spread / 2)`` of the mean; the
    curve says ``2 ** (1 / sharpness)``.
    """
    return 2.0 * NormalDist().inv_cdf(2.0 ** (1.0 / sharpness - 1.0))


def known_settings(table: GestureTable, profile: SocProfile) -> list[Setting]:
    """Return the settings of a SoC between the slowest and the fastest that were measured."""
    capacity = table.settings()[:, 0]
    low, high = capacity.min() - 1e-9, capacity.max() + 1e-9
    return [
        Setting(cluster.name, opp.freq_khz)
        for cluster in profile.clusters
        if cluster.name in table.clusters
        for opp in cluster.opps
        if low <= profile.capacity(cluster, opp.freq_khz) / FULL_CAPACITY <= high
    ]
