"""What a user asks of a policy, and the goal that it comes to on a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.choose.policy.estimate import Estimate
from runtime.choose.policy.goal import NEED_POWER, Goal

if TYPE_CHECKING:
    from runtime.targets import Target

DEFAULT_FPS = 30.0  # what cameras of phones record at unless asked otherwise


@dataclass(frozen=True)
class PolicyRequest:
    """What a user asks of a policy; ``None`` leaves a choice to what is known of the target.

    Attributes:
        objective: one of ``goal.OBJECTIVES``; by default ``budget`` with an energy budget, else
            ``awake``, or ``core-time`` where no power is known.
        fps: pace of the frames; by default 30, or what a longer ``latency_ms`` leaves room for.
        margin_pct: headroom on it, on top of the interval's; on a modelled target instead of what the model
            may be off by, which is the default there.
        latency_ms: the latest end of a frame after its arrival; by default the period.
        quantile: share of frames that is to hold for.
        energy_mj: budget of one frame; ``mean_power_mw`` says the same as a mean over time.
        max_power_mw: thermal cap on the power while busy.
        base_mw: of the device awake and idle; by default what a meter read in the bench.
        sleep_mw: of the device asleep.
        battery_mwh: of a full battery; by default the target's own, where it can be read.
    """

    objective: str | None = None
    fps: float | None = None
    margin_pct: float | None = None
    latency_ms: float | None = None
    quantile: float | None = None
    energy_mj: float | None = None
    mean_power_mw: float | None = None
    max_power_mw: float | None = None
    base_mw: float | None = None
    sleep_mw: float = 0.0
    battery_mwh: float | None = None


def goal_of(
    request: PolicyRequest, target: Target, considered: Sequence[Estimate], base_mw: float | None
) -> Goal:
    """Return the goal that ``request`` comes to on ``target``.

    Args:
        considered: what may be chosen; by it, whether any power is known.
        base_mw: of the device awake and idle, ``None`` where nobody knows.

    Raises:
        ValueError: a request out of range, or one for energy where no power is known.
    """
    fps = _pace(request)
    if request.energy_mj is not None and request.mean_power_mw is not None:
        raise ValueError("both an energy per frame and a mean power are given as a budget; give one of them")
    budget_mj = request.energy_mj
    if request.mean_power_mw is not None:
        budget_mj = request.mean_power_mw / fps if fps > 0 else None
    knows_power = any(estimate.energy_mj is not None for estimate in considered)
    objective = request.objective
    if objective is None:
        objective = "budget" if budget_mj is not None else "awake" if knows_power else "core-time"
    if not knows_power and (objective in NEED_POWER or request.max_power_mw is not None):
        asked = f"objective {objective!r}" if objective in NEED_POWER else "a cap on power"
        raise ValueError(
            f"{asked} needs a power, and none is known on {target.name} ({target.energy_note}); choose "
            "--objective latency (the fastest) or core-time (the least core time that keeps up)"
        )
    period_ms = 1000.0 / fps if fps > 0 else 0.0
    return Goal(
        objective=objective,
        fps_target=fps,
        margin_pct=request.margin_pct or 0.0,
        deadline_ms=period_ms if request.latency_ms is None else min(request.latency_ms, period_ms),
        quantile=request.quantile,
        energy_budget_mj=budget_mj,
        max_power_mw=request.max_power_mw,
        base_mw=base_mw,
        sleep_mw=request.sleep_mw,
    )


def _pace(request: PolicyRequest) -> float:
    if request.fps is not None:
        return request.fps
    if request.latency_ms is None or not request.latency_ms > 0:
        return DEFAULT_FPS
    return min(DEFAULT_FPS, 1000.0 / request.latency_ms)
