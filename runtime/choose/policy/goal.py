"""What a policy is to achieve: which cost is least, and within which limits. Pure arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.bundle.figures import check_figures

if TYPE_CHECKING:
    from runtime.choose.policy.estimate import Estimate

OBJECTIVES = {
    "awake": "least energy of the work; the device stays awake between frames anyway",
    "race-to-sleep": "least energy from frame to frame; the device sleeps when a frame is done",
    "edp": "least energy x delay",
    "budget": "the fastest within an energy per frame",
    "latency": "the fastest",
    "core-time": "least core time, where no energy is known",
}
NEED_POWER = ("awake", "race-to-sleep", "edp", "budget")


@dataclass(frozen=True)
class Goal:
    """An objective with its limits.

    Attributes:
        objective: one of ``OBJECTIVES``.
        fps_target: pace of the frames.
        margin_pct: headroom on it, for the choice alone: it makes no frame late.
        deadline_ms: from a frame's arrival to when it must be done; a period, or less.
        quantile: share of frames the bound is to hold for; ``None`` leaves the bound as it was learnt.
        energy_budget_mj: of one frame while busy, for ``budget``.
        max_power_mw: thermal cap: the power while busy must not exceed it.
        base_mw: what the device takes awake and idle, on top of which the power of work counts.
        sleep_mw: what it takes asleep, for ``race-to-sleep``.
    """

    objective: str
    fps_target: float
    deadline_ms: float
    margin_pct: float = 0.0
    quantile: float | None = None
    energy_budget_mj: float | None = None
    max_power_mw: float | None = None
    base_mw: float | None = None
    sleep_mw: float = 0.0

    def __post_init__(self) -> None:
        check_figures(self)
        if self.objective not in OBJECTIVES:
            raise ValueError(f"objective is {self.objective!r}; allowed: {', '.join(OBJECTIVES)}")
        # Frames are paced by sleeping, which Linux ends up to 50 us late by default (timer slack) and more
        # under load: a period below 1 ms would be no pace.
        if not 0 < self.fps_target <= 1000 or not 0 <= self.margin_pct <= 100:
            given = f"fps is {self.fps_target:g}, margin {self.margin_pct:g} %"
            raise ValueError(f"{given}; allowed: fps above 0 and up to 1000, margin 0 to 100 %")
        for name in ("deadline_ms", "energy_budget_mj", "max_power_mw"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} is {value}; it must be above 0")
        if self.quantile is not None and not 0.5 <= self.quantile < 1:
            raise ValueError(f"quantile is {self.quantile}; allowed: 0.5 to below 1")
        awake_mw = self.sleep_mw if self.base_mw is None else self.base_mw
        if not 0 <= self.sleep_mw <= awake_mw < math.inf:
            given = f"sleep_mw is {self.sleep_mw}, base_mw {self.base_mw}"
            raise ValueError(f"{given}; both must be 0 or more, and asleep a device takes no more than awake")
        if self.objective == "race-to-sleep" and self.base_mw is None:
            raise ValueError(
                "race-to-sleep weighs the work against the power of the device awake and idle, which is not "
                "known here; give it with --base-mw, or bench with a meter that reads the idle machine"
            )
        if (self.objective == "budget") != (self.energy_budget_mj is not None):
            raise ValueError("an energy budget and the objective 'budget' go together; give --energy-mj")

    @property
    def period_ms(self) -> float:
        """Time from frame to frame."""
        return 1000.0 / self.fps_target

    @property
    def latency_limit_ms(self) -> float:
        """What the upper latency bound must not exceed: the deadline, and the period less the headroom."""
        if not self.margin_pct:
            return self.deadline_ms
        return min(self.deadline_ms, self.period_ms / (1.0 + self.margin_pct / 100.0))

    @property
    def has_own_deadline(self) -> bool:
        """Whether frames must be done before the next one comes."""
        return self.deadline_ms < self.period_ms * (1.0 - 1e-9)  # periods are computed in several ways

    def deadline_at(self, period_ms: float) -> float:
        """Return the deadline of the same frames at another pace: never later than the next frame.

        Args:
            period_ms: of that pace.
        """
        return min(self.deadline_ms, period_ms) if self.has_own_deadline else period_ms

    @property
    def is_capped(self) -> bool:
        """Whether anything but the deadline can refuse a setting."""
        return self.max_power_mw is not None or self.energy_budget_mj is not None

    def busy_mw(self, power_mw: float) -> float:
        """Return what counts as power while a frame runs: of the work, or of the whole device."""
        return power_mw + (self.base_mw or 0.0) if self.objective == "race-to-sleep" else power_mw

    @property
    def waiting_mw(self) -> float:
        """Return what counts as power between frames."""
        return self.sleep_mw if self.objective == "race-to-sleep" else 0.0

    @property
    def over_mw(self) -> float | None:
        """What counts as power while a frame runs, besides the work's own and over waiting.

        ``None``: what is to be least is no sum over the time that a frame runs, so that two settings within
        one frame cannot be weighed by it.
        """
        if self.objective not in ("awake", "race-to-sleep"):
            return None
        return self.busy_mw(0.0) - self.waiting_mw

    def frame_mj(self, estimate: Estimate) -> float | None:
        """Return the energy of one frame and the wait after it, as the objective counts it.

        Awake only the work counts: P t. Racing to sleep: (P + base) t + sleep (T - t).
        """
        if estimate.power_mw is None or estimate.energy_mj is None:
            return estimate.energy_mj
        over_mw = self.busy_mw(estimate.power_mw) - self.waiting_mw
        period_ms = max(self.period_ms, estimate.latency_ms)
        return (over_mw * estimate.latency_ms + self.waiting_mw * period_ms) / 1000.0

    def cost(self, estimate: Estimate) -> float | None:
        """Return what is to be least; ``None`` where it needs a power that is not known."""
        if self.objective in ("budget", "latency"):
            return estimate.latency_high_ms
        if self.objective == "core-time":
            return estimate.core_ms
        energy_mj = self.frame_mj(estimate)
        if energy_mj is None or self.objective != "edp":
            return energy_mj
        return energy_mj * estimate.latency_ms

    def excess(self, estimate: Estimate) -> float:
        """Return by which share ``estimate`` exceeds cap and budget; 0 where it keeps both."""
        return _over(estimate.power_mw, self.max_power_mw) + _over(estimate.energy_mj, self.energy_budget_mj)

    def is_met(self, estimate: Estimate) -> bool:
        """Return whether ``estimate`` keeps the deadline, the cap and the budget."""
        return estimate.latency_high_ms <= self.latency_limit_ms and self.excess(estimate) == 0.0

    def order(self, estimate: Estimate) -> tuple[bool, float, int, int]:
        """Return the key that sorts estimates, the best first; ties go to the slower clock.

        Known cost goes before unknown: the two cannot be compared, and a guess must not win over a figure.
        """
        cost = self.cost(estimate)
        setting = estimate.setting
        return (
            cost is None,
            estimate.core_ms if cost is None else cost,
            setting.freq_khz or 0,
            setting.threads,
        )

    def next_best(self, estimate: Estimate) -> tuple[float, float, tuple[bool, float, int, int]]:
        """Return the key that sorts estimates that miss the goal: within the limits, then the fastest."""
        return self.excess(estimate), estimate.latency_high_ms, self.order(estimate)


def _over(value: float | None, limit: float | None) -> float:
    if limit is None:
        return 0.0
    return math.inf if value is None else max(value / limit - 1.0, 0.0)
