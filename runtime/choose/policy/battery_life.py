"""What a use means for a battery: mean power and hours. Pure arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runtime.bundle.figures import check_figures
from runtime.choose.policy.estimate import Estimate
from runtime.choose.policy.goal import Goal


@dataclass(frozen=True)
class BatteryLife:
    """How long a full battery lasts.

    Attributes:
        capacity_mwh: energy of a full battery; ``source`` says whose.
        mean_power_mw: over frames and waits.
        hours: until the battery is empty.
        is_whole_device: whether the idle device is counted; else ``mean_power_mw`` is that of the work
            alone, and no device lasts that long.
    """

    capacity_mwh: float
    source: str
    mean_power_mw: float
    hours: float
    is_whole_device: bool

    def __post_init__(self) -> None:
        check_figures(self)

    @property
    def words(self) -> str:
        """How long the battery lasts, and at what."""
        full = f"{self.capacity_mwh:.0f} mWh ({self.source})"
        mean = f"{self.mean_power_mw:.3g} mW on average"
        if self.is_whole_device:
            return f"{full} last {self.hours:.1f} h at this use, {mean}"
        alone = f"{full} would last {self.hours:.1f} h for the work alone, {mean}"
        return f"{alone}; say what the idle device takes with --base-mw"


def battery_life(
    estimate: Estimate, goal: Goal, capacity_mwh: float | None, source: str
) -> BatteryLife | None:
    """Return how long a battery lasts while frames come at the goal's pace.

    A setting slower than the pace runs without a pause, at its own.

    Args:
        capacity_mwh: of the battery; ``None`` gives ``None``, as an unknown power does.

    Raises:
        ValueError: the capacity is not positive.

    Example:
        >>> from runtime.device.setting import Setting
        >>> frame = Estimate("v", Setting("big", 1), 10.0, 10.0, 10.0, power_mw=900.0, energy_mj=9.0)
        >>> battery_life(frame, Goal("awake", 30.0, 33.3, base_mw=730.0), 4000.0, "as given").hours
        4.0
    """
    if capacity_mwh is None:
        return None
    if not 0 < capacity_mwh < math.inf:
        raise ValueError(f"the battery's capacity is {capacity_mwh:g} mWh; it must be above 0")
    frame_mj = goal.frame_mj(estimate)
    if frame_mj is None:
        return None
    frame_ms = max(goal.period_ms, estimate.latency_ms)
    power_mw = 1000.0 * frame_mj / frame_ms
    if goal.objective != "race-to-sleep":
        power_mw += goal.base_mw or 0.0
    return BatteryLife(capacity_mwh, source, power_mw, capacity_mwh / power_mw, goal.base_mw is not None)
