"""What is compared: a network at several rates and scatters of its work, on one SoC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from runtime.choose.decision import DecisionTable
from runtime.choose.decision.outlook import ChangeCost
from runtime.choose.policy.estimate import Estimate, Option
from runtime.choose.policy.goal import Goal
from runtime.choose.policy.policy import Policy
from runtime.choose.simulation import Frames, TimedPlatform, timed_platform
from runtime.choose.tuning.choice import choose
from runtime.choose.tuning.latency_source import estimate_of
from runtime.device.provenance import Provenance
from runtime.device.soc import PowerFigure, modelled_latency, power_mw
from runtime.device.soc.power import CORNERS, NOMINAL, Assumed, has_power
from runtime.errors import DeviceStableError
from runtime.govern.governor.plan import GovernPlan
from runtime.govern.governor.serving import strategies
from runtime.govern.governor.tables import policy_rows
from runtime.targets.virtual import VirtualTarget
from tests.benchmarks.energy_truth.governor import RuntimeGovernor
from tests.benchmarks.published.networks.catalogue import NETWORKS

RATES = (5.0, 10.0, 15.0, 24.0, 30.0, 60.0)
# Name and side of the input; 30, 300 and 1,814 million multiply-accumulates: light enough for an A15 at 60
# FPS, heavy enough for an X1 at 10.
NETWORKS_TRIED = (("mobilenet_v3_small", 160), ("mobilenet_v2", 224), ("resnet18", 224))
SCATTERS = (0.02, 0.05)  # standard deviation of a frame's work over the network's
# Where a policy's upper bounds come from. ``benched``: from samples, of which 90 % lie below. ``modelled``:
# from the latency model, as of a phone nobody has; the governor has to find out that they are wide.
BOUNDS = ("benched", "modelled")
_P90, _P99 = 1.2816, 2.3263  # standard deviations of a bell; by default 99 % of the frames are to be in time
NOMINALLY = "nominal"
TRANSITION_MS = 0.1  # that a change of clock or core stops the work, as in ``simulation.platform_of``


@dataclass(frozen=True)
class Lane:
    """One row of frames: at which rate, and how much they scatter."""

    fps: float
    scatter: float


@dataclass(frozen=True, eq=False)
class Case:
    """A network on a SoC with the lanes that some setting keeps up with.

    Attributes:
        estimates: of every setting of known power, in the order of the points of ``platform``.
        lanes: of ``frames``.
        left_out: lanes that are too fast for every setting, even at the share of late frames that may be.
    """

    target: VirtualTarget
    network: str
    estimates: tuple[Estimate, ...]
    platform: TimedPlatform
    lanes: tuple[Lane, ...]
    left_out: tuple[Lane, ...]

    def frames(self, count: int) -> Frames:
        """Return ``count`` frames a lane; work is counted in frames of the network."""
        period_ms = np.array([1e3 / lane.fps for lane in self.lanes])[:, None]
        arrival_ms = np.arange(count) * period_ms
        work = [_work(lane, count) for lane in self.lanes]
        return Frames(arrival_ms, arrival_ms + period_ms, np.stack(work))

    def governor(self, bounds: str) -> RuntimeGovernor:
        """Return our governor, with a policy for each lane whose bounds are of one of ``BOUNDS``."""
        plans = [self._plan(lane, bounds) for lane in self.lanes]
        return RuntimeGovernor(
            self.platform,
            self.target.profile,
            [strategies(plan, lambda: ChangeCost(TRANSITION_MS, TRANSITION_MS)) for plan in plans],
            [plan.period_ms for plan in plans],
            [plan.latency_limit_ms for plan in plans],
        )

    def _plan(self, lane: Lane, bounds: str) -> GovernPlan:
        """Return what ``edgekit govern`` follows by a policy that was tuned for the lane's rate."""
        estimates = self.estimates
        if bounds == "benched":
            off = _P90 * lane.scatter
            estimates = tuple(
                replace(e, latency_low_ms=e.latency_ms * (1 - off), latency_high_ms=e.latency_ms * (1 + off))
                for e in estimates
            )
        policy = _policy(self.target, self.network, estimates, lane.fps)
        table: DecisionTable = policy_rows(policy, self.target.profile)
        period_ms = 1e3 / lane.fps
        return GovernPlan(self.target, table, policy, period_ms, policy.goal.latency_limit_ms)  # type: ignore[arg-type]


def case_of(
    target: VirtualTarget, network: tuple[str, int], rates: Sequence[float], assumed: Assumed = NOMINAL
) -> Case:
    """Return a network on a SoC, on one thread of each cluster, at every clock of known power.

    Args:
        network: one of ``NETWORKS_TRIED``.
        assumed: what the profile leaves open of its power.

    Raises:
        DeviceStableError: no power is known, clusters' are on unlike bases, or nothing is known of the cores.
    """
    profile = target.profile
    if profile.unlike_bases:
        raise DeviceStableError(f"{profile.unlike_bases}; give a profile of one basis")

    def power(option: Option) -> PowerFigure:
        cluster = profile.cluster(option.setting.cluster)
        return power_mw(cluster, option.setting.freq_khz or 0, assumed=assumed)

    name, size = network
    workload = NETWORKS[name].build(size).workload("fp32")
    estimates = []
    for setting in target.settings():
        if has_power(profile.cluster(setting.cluster)):
            found = modelled_latency(workload, profile, setting)
            times_ms = (found.latency_ms, found.low_ms, found.high_ms)
            estimates.append(estimate_of(Option("fp32", setting), power, *times_ms))
    if not estimates:
        raise DeviceStableError(f"{target.name}: no clock has a known power; give a profile with power_mw")
    settings = [e.setting for e in estimates]
    platform = timed_platform(
        profile.name,
        clusters=[setting.cluster for setting in settings],
        freqs_khz=[setting.freq_khz or 0 for setting in settings],
        capacities=[profile.capacity(s.cluster, s.freq_khz) for s in settings],
        latencies_ms=[e.latency_ms for e in estimates],
        powers_mw=[e.power_mw for e in estimates],
    )
    lanes = [Lane(fps, scatter) for fps in rates for scatter in SCATTERS]
    least_ms = min(e.latency_ms for e in estimates)
    kept = tuple(lane for lane in lanes if least_ms * (1 + _P99 * lane.scatter) <= 1e3 / lane.fps)
    left_out = tuple(lane for lane in lanes if lane not in kept)
    platform = replace(platform, transition_ms=TRANSITION_MS)
    return Case(target, name, tuple(estimates), platform, kept, left_out)


def accounts_of(target: VirtualTarget) -> dict[str, Assumed]:
    """Return what may be assumed of one core's power, by name: the extremes that make any difference."""
    found = {NOMINALLY: NOMINAL}
    seen = {_powers(target, NOMINAL)}
    for corner in CORNERS:
        if (powers := _powers(target, corner)) not in seen:
            seen.add(powers)
            found[f"up {corner.up_share:.0%}, idle {corner.idle_share:.0%}"] = corner
    return found


def _powers(target: VirtualTarget, assumed: Assumed) -> tuple[float, ...]:
    clusters = [cluster for cluster in target.profile.clusters if has_power(cluster)]
    return tuple(power_mw(c, opp.freq_khz, assumed=assumed).power_mw for c in clusters for opp in c.opps)


def _work(lane: Lane, count: int) -> np.ndarray:
    rng = np.random.default_rng([round(lane.fps), round(1e3 * lane.scatter)])
    return np.maximum(rng.normal(1.0, lane.scatter, count), 0.5)


def _policy(target: VirtualTarget, network: str, estimates: tuple[Estimate, ...], fps: float) -> Policy:
    goal = Goal("awake", fps, deadline_ms=1e3 / fps)
    by_option = {Option(e.variant, e.setting): e for e in estimates}
    choice = choose(by_option, lambda options: [by_option[option] for option in options], goal)
    return Policy(
        model=network,
        model_sha256="",
        target=target.name,
        goal=goal,
        chosen=choice.chosen,
        meets_target=choice.meets_goal,
        confidence=0.9,
        energy_source="",
        provenance=Provenance.MODELLED,
        predictor="",
        reason="",
        winners=choice.winners,
        losers=choice.losers,
        considered=estimates,
        comparison=(),
        notes=(),
        created_utc="",
    )
