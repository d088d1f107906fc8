"""What a governor follows on a machine: rows to choose from, period and deadline of the frames."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime.bundle import Bundle
from runtime.choose.decision import DecisionTable, SlowdownRule
from runtime.choose.policy.policy import Policy, load_policy
from runtime.device.marker import find_marker
from runtime.device.meters import read_temp_c
from runtime.errors import DeviceStableError
from runtime.extras import require
from runtime.govern.governor.tables import capacity_rows, policy_rows
from runtime.targets import LocalTarget, Target, TargetName

DEFAULT_FPS = 30.0
LATE_SHARE = SlowdownRule.late_share
# Finished frames that may wait. Each adds a period to what a user waits for an answer: three are a tenth of a
# second at 30 FPS.
_MOST_QUEUED = 3


@dataclass(frozen=True)
class VariableLoad:
    """How frames whose work varies are governed: what they take is learnt, and clocks change within a frame.

    See ``runtime.choose.frame_policy``.

    Attributes:
        max_queued: finished frames that may wait for their turn: each has its deadline so many periods later.
        miss_penalty: of a late frame, in periods at the fastest setting; ``None``: what keeps late frames
            at the share that may be.

    Raises:
        ValueError: a figure that cannot be.
    """

    max_queued: int = 0
    miss_penalty: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.max_queued <= _MOST_QUEUED:
            raise ValueError(f"max_queued is {self.max_queued}; it must be from 0 to {_MOST_QUEUED}")
        if self.miss_penalty is not None and not 0.01 <= self.miss_penalty <= 1000:
            raise ValueError(f"miss_penalty is {self.miss_penalty}; it must be from 0.01 to 1000")


@dataclass(frozen=True)
class GovernPlan:
    """What a governor follows.

    Attributes:
        table: rows that sessions may run at.
        policy: they come from; ``None``: from the SoC's capacities alone, so that latencies are relative.
        period_ms: of the frames.
        latency_limit_ms: that the bundle's own frames are governed by: the deadline, less the headroom
            that the policy keeps.
        called: how the host that began the run calls this machine; ``None``: it began here.
        variable_load: how frames of varying work are governed; ``None``: all frames alike.
        late_share: share of the frames that may be late.
        max_temp_c: that the hottest CPU zone should not pass: settings of more power are given up.
    """

    target: LocalTarget
    table: DecisionTable
    policy: Policy | None
    period_ms: float
    latency_limit_ms: float
    called: str | None = None
    variable_load: VariableLoad | None = None
    late_share: float = LATE_SHARE
    max_temp_c: float | None = None

    @property
    def name(self) -> str:
        """How logs call the machine."""
        marker = find_marker(self.target.root)
        return self.called or (
            self.target.name if marker is None else str(TargetName("emulated", marker.soc))
        )

    @property
    def deadline_ms(self) -> float:
        """When a frame is late, after its arrival: at the deadline that was asked for, or with its period."""
        own_ms = self.period_ms if self.policy is None else self.policy.goal.deadline_at(self.period_ms)
        queued = 0 if self.variable_load is None else self.variable_load.max_queued
        return own_ms + queued * self.period_ms

    @property
    def energy_source(self) -> str:
        """Where the power of a setting comes from."""
        if self.policy is not None:
            return self.policy.energy_source
        figure = self.target.power(self.table.rows[0].setting)
        return self.target.energy_note if figure is None else figure.source


def plan_for(
    target: Target,
    bundle: Bundle | Policy | None,
    fps: float | None,
    *,
    policy_target: str | None = None,
    called: str | None = None,
    variable_load: VariableLoad | None = None,
    late_share: float = LATE_SHARE,
    max_temp_c: float | None = None,
) -> GovernPlan:
    """Return what to govern ``target`` by.

    Args:
        bundle: whose policy to follow, or a policy; ``None`` governs any work, by the SoC's capacities.
        fps: of frames; default: the policy's, or 30.
        policy_target: name of the target as the policy was made for it, where that is another one.
        called: name of this machine on the host that began the run; policies and logs go by it.
        variable_load, late_share, max_temp_c: as ``GovernPlan`` has them.

    Raises:
        DeviceStableError: nothing can be governed there, or not with ``variable_load`` or ``max_temp_c``.
        MissingExtra: ``variable_load`` without numpy.
        NotFittedError: the bundle has no policy for this target.
        BundleError: its policy is for another device.
        ValueError: ``fps`` or ``late_share`` is out of range.

    Example:
        >>> from runtime.targets import open_target
        >>> plan_for(open_target("local"), None, 50.0).deadline_ms                # doctest: +SKIP
        20.0
    """
    if fps is not None and not 0 < fps <= 1000:
        raise ValueError(f"fps is {fps}; it must be above 0, at most 1000")
    if not 0 < late_share < 1:
        raise ValueError(f"the share of late frames is {late_share}; it must be above 0, below 1")
    if not isinstance(target, LocalTarget):
        raise DeviceStableError(_why_not(target.name))
    known_as = policy_target or called or target.name
    policy = load_policy(bundle, known_as) if isinstance(bundle, Bundle) else bundle
    if policy is None:
        table = capacity_rows(target.profile, target.power, target.settings())
    else:
        table = policy_rows(policy, target.profile)
    asks_clock = any(row.setting.freq_khz is not None for row in table.rows)
    if asks_clock and target.capability.level != "sysfs":
        raise DeviceStableError(f"{target.name} does not let clocks be held: {target.capability.reasons[0]}")
    if max_temp_c is not None and read_temp_c(target.root) is None:
        raise DeviceStableError(f"{target.name} shows no CPU temperature; leave --max-temp-c out")
    if variable_load is not None:
        require("numpy", "images")
        if any(row.power_mw is None for row in table.rows):
            raise DeviceStableError(
                f"the power of {target.name}'s settings is not known; govern without --variable-load"
            )
    period_ms = 1e3 / (fps or (DEFAULT_FPS if policy is None else policy.fps_target))
    plan = GovernPlan(
        target, table, policy, period_ms, period_ms, called, variable_load, late_share, max_temp_c
    )
    if policy is not None and fps is None and variable_load is None:
        return replace(plan, latency_limit_ms=policy.goal.latency_limit_ms)
    return replace(plan, latency_limit_ms=plan.deadline_ms)


def _why_not(name: str) -> str:
    parsed = TargetName.parse(name)
    soc = parsed.rest
    hint = {
        "virtual": f"nothing runs on it: play it with emulated:{soc}, or model frames with edgekit run",
        "ssh": f"a governor runs where the frames run: edgekit govern ... --target {name}",
        "emulated": f"run it inside: edgekit emulate {soc} -- edgekit govern ...",
        "adb": "a phone on adb has no Python to run it: write one in C with edgekit tune --emit c",
    }.get(parsed.kind, "run it on that machine")
    return f"{name} cannot be governed from here; {hint}"
