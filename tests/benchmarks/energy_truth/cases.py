"""What is compared: a network at several rates and scatters of its work, on one SoC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from runtime.choose.decision.outlook import ChangeCost
from runtime.choose.policy.estimate import Estimate, Option
from runtime.choose.policy.goal import Goal
from runtime.choose.policy.policy import Policy
from runtime.choose.simulation import Frames, TimedPlatform, timed_platform
from runtime.choose.tuning.choice import choose
from runtime.device.provenance import Provenance
from runtime.device.setting import Setting
from runtime.device.soc import ModelledLatency, SocProfile, modelled_latency, power_mw
from runtime.device.soc.account import work_mj
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
_VARIANT = "fp32"
# What a profile may leave open of one core's power: the nominal account, and the extremes.
ACCOUNTS = {
    "nominal": NOMINAL,
    **{f"up {each.up_share:.0%}, idle {each.idle_share:.0%}": each for each in CORNERS},
}
TRANSITION_MS = 0.1  # that a change of clock or core stops the work, as in ``simulation.platform_of``


@dataclass(frozen=True)
class Load:
    """Frames: at which rate, and how much their work scatters."""

    fps: float
    scatter: float


@dataclass(frozen=True)
class Tuning:
    """What a policy was made of: an account of the power, by name, and one of ``BOUNDS``."""

    account: str
    bounds: str


@dataclass(frozen=True, eq=False)
class Case:
    """A network on a SoC with the loads that some setting keeps up with.

    Attributes:
        latencies: of each setting of known power, in the order of the points of ``platform``.
        platform: by the nominal account, as are the energy models of kernels.
        powers_mw: of the points, by the name of each account.
        tunings: of our policies; the first is the nominal one.
        left_out: loads too high for every setting, even at the share of late frames that may be.
    """

    target: VirtualTarget
    network: str
    settings: tuple[Setting, ...]
    latencies: tuple[ModelledLatency, ...]
    platform: TimedPlatform
    powers_mw: Mapping[str, np.ndarray]
    tunings: tuple[Tuning, ...]
    loads: tuple[Load, ...]
    left_out: tuple[Load, ...]

    def frames(self, count: int) -> Frames:
        """Return ``count`` frames of each load; work is counted in frames of the network."""
        period_ms = np.array([1e3 / load.fps for load in self.loads])[:, None]
        arrival_ms = np.arange(count) * period_ms
        work = [_work(load, count) for load in self.loads]
        return Frames(arrival_ms, arrival_ms + period_ms, np.stack(work))

    def governor(self) -> RuntimeGovernor:
        """Return our governor for lanes of all loads under the first tuning, then the next, and so on."""
        plans = [self._plan(load, tuning) for tuning in self.tunings for load in self.loads]
        return RuntimeGovernor(
            self.platform,
            self.target.profile,
            [strategies(plan, lambda: ChangeCost(TRANSITION_MS, TRANSITION_MS)) for plan in plans],
            [plan.period_ms for plan in plans],
            [plan.latency_limit_ms for plan in plans],
        )

    def _plan(self, load: Load, tuning: Tuning) -> GovernPlan:
        """Return what ``edgekit govern`` follows by a policy that was tuned for the load's rate."""
        estimates = []
        powers_mw = self.powers_mw[tuning.account].tolist()
        for setting, found, busy_mw in zip(self.settings, self.latencies, powers_mw, strict=True):
            low_ms, high_ms = found.low_ms, found.high_ms
            if tuning.bounds == "benched":
                off_ms = _P90 * load.scatter * found.latency_ms
                low_ms, high_ms = found.latency_ms - off_ms, found.latency_ms + off_ms
            energy_mj = work_mj(busy_mw, found.latency_ms)
            times_ms = (found.latency_ms, low_ms, high_ms)
            estimates.append(Estimate(_VARIANT, setting, *times_ms, busy_mw, energy_mj))
        policy = _policy(self.target, self.network, tuple(estimates), load.fps)
        table = policy_rows(policy, self.target.profile)
        limit_ms = policy.goal.latency_limit_ms
        return GovernPlan(self.target, table, policy, 1e3 / load.fps, limit_ms)  # type: ignore[arg-type]


def case_of(target: VirtualTarget, network: tuple[str, int], rates: Sequence[float]) -> Case:
    """Return a network on a SoC, on one thread of each cluster, at every clock of known power.

    Args:
        network: one of ``NETWORKS_TRIED``.

    Raises:
        DeviceStableError: no power is known, clusters' are on unlike bases, or nothing is known of the cores.
    """
    profile = target.profile
    if profile.unlike_bases:
        raise DeviceStableError(f"{profile.unlike_bases}; give a profile of one basis")
    settings = tuple(s for s in target.settings() if has_power(profile.cluster(s.cluster)))
    if not settings:
        raise DeviceStableError(f"{target.name}: no clock has a known power; give a profile with power_mw")
    name, size = network
    workload = NETWORKS[name].build(size).workload("fp32")
    latencies = tuple(modelled_latency(workload, profile, setting) for setting in settings)
    powers_mw: dict[str, np.ndarray] = {}
    for account, assumed in ACCOUNTS.items():
        found = _powers_mw(profile, settings, assumed)
        if not any(np.array_equal(found, other) for other in powers_mw.values()):
            powers_mw[account] = found
    nominal, *others = powers_mw
    tunings = (Tuning(nominal, bounds) for bounds in BOUNDS)
    platform = timed_platform(
        profile.name,
        clusters=[setting.cluster for setting in settings],
        freqs_khz=[setting.freq_khz or 0 for setting in settings],
        capacities=[profile.capacity(s.cluster, s.freq_khz) for s in settings],
        latencies_ms=[found.latency_ms for found in latencies],
        powers_mw=powers_mw[nominal].tolist(),
    )
    least_ms = min(found.latency_ms for found in latencies)
    loads = [Load(fps, scatter) for fps in rates for scatter in SCATTERS]
    kept = tuple(load for load in loads if least_ms * (1 + _P99 * load.scatter) <= 1e3 / load.fps)
    return Case(
        target,
        name,
        settings,
        latencies,
        replace(platform, transition_ms=TRANSITION_MS),
        powers_mw,
        (*tunings, *(Tuning(account, BOUNDS[0]) for account in others)),
        kept,
        tuple(load for load in loads if load not in kept),
    )


def _powers_mw(profile: SocProfile, settings: Sequence[Setting], assumed: Assumed) -> np.ndarray:
    figures = (power_mw(profile.cluster(s.cluster), s.freq_khz or 0, assumed=assumed) for s in settings)
    return np.array([figure.power_mw for figure in figures])


def _work(load: Load, count: int) -> np.ndarray:
    rng = np.random.default_rng([round(load.fps), round(1e3 * load.scatter)])
    return np.maximum(rng.normal(1.0, load.scatter, count), 0.5)


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
