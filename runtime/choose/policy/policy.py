"""A policy: which setting runs a bundle at a frame rate on a target, and why. Plain data.

Made by ``runtime.choose.tuning.tune``; reading and applying one needs no numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from runtime.bundle import Bundle, decode_file
from runtime.bundle.figures import check_figures
from runtime.bundle.names import policy_path
from runtime.choose.policy.battery_life import BatteryLife
from runtime.choose.policy.estimate import Estimate
from runtime.choose.policy.goal import Goal
from runtime.choose.policy.outcome import Outcome
from runtime.device.provenance import Provenance, least_certain, provenance_of
from runtime.device.setting import Setting
from runtime.errors import BundleError, NotFittedError, VersionConflict
from runtime.flow.frames import sha256_of

# 2: objective, fps_target, margin_pct and deadline_ms are part of ``goal``; ``battery`` is new.
# 3: ``goal.deadline_ms`` is a frame's own, without the margin; outcomes say who misses it;
# ``energy_provenance`` is new.
POLICY_SCHEMA = 3
_OLDEST_READ = 2


@dataclass(frozen=True)
class Policy:
    """The chosen setting with what it was chosen by.

    Attributes:
        model, model_sha256: name of the bundle and hash of the chosen variant's file.
        goal: the objective, the deadline and the limits.
        chosen: the estimate of the chosen variant and setting.
        meets_target: whether the chosen setting keeps the goal's deadline and limits.
        confidence: share of settings (or, without a predictor, of samples) the bounds are made to hold.
        energy_source: where the power comes from that latency is multiplied by, or why there is none.
        provenance: of the latencies that the predictor learnt from.
        energy_provenance: of the energies, latency times power: no more certain than either; ``None``
            where no power is known.
        predictor: what the latencies come from: the regressor chosen, or the records themselves.
        winners: best of each ladder that meets the goal; ``losers`` what comes nearest on the others.
        considered: every option the choice was made from.
        comparison: the policy, governors of kernels and papers, the exhaustive best, on the same frames.
        battery: how long a battery lasts at this use, where its capacity is known.
        notes: what was left out, and why.
    """

    model: str
    model_sha256: str
    target: str
    goal: Goal
    chosen: Estimate
    meets_target: bool
    confidence: float
    energy_source: str
    provenance: Provenance
    predictor: str
    reason: str
    winners: tuple[Estimate, ...] = field(repr=False)  # a notebook shows the repr: these fill pages
    losers: tuple[Estimate, ...] = field(repr=False)
    considered: tuple[Estimate, ...] = field(repr=False)
    comparison: tuple[Outcome, ...] = field(repr=False)
    notes: tuple[str, ...]
    created_utc: str
    battery: BatteryLife | None = None
    energy_provenance: Provenance | None = None
    schema_version: int = POLICY_SCHEMA

    def __post_init__(self) -> None:
        for part in (self, self.chosen, *self.winners, *self.losers, *self.considered, *self.comparison):
            check_figures(part)

    @property
    def objective(self) -> str:
        """One of ``runtime.choose.policy.goal.OBJECTIVES``."""
        return self.goal.objective

    @property
    def fps_target(self) -> float:
        """Pace of the frames."""
        return self.goal.fps_target

    @property
    def deadline_ms(self) -> float:
        """From a frame's arrival to when it must be done."""
        return self.goal.deadline_ms

    @property
    def variant(self) -> str:
        """Name of the chosen variant."""
        return self.chosen.variant

    @property
    def setting(self) -> Setting:
        """The chosen setting."""
        return self.chosen.setting

    @property
    def energy_mj(self) -> float | None:
        """Expected energy of one frame, ``None`` where no power is known."""
        return self.chosen.energy_mj


def save_policy(bundle: Bundle, policy: Policy) -> Bundle:
    """Return ``bundle`` with ``policy`` in it."""
    data = msgspec.json.format(msgspec.json.encode(policy), indent=1)
    return bundle.add(policy_path(policy.target), data, "policy")


def load_policy(bundle: Bundle, target: str) -> Policy:
    """Return the bundle's policy for ``target``, checked against the bundle.

    Raises:
        NotFittedError: there is none.
        VersionConflict: it was written under another schema.
        BundleError: it does not fit its schema, or belongs to another model or target.
    """
    path = policy_path(target)
    if path not in bundle.find("policy"):
        raise NotFittedError(
            f"{bundle.path.name} has no policy for {target}; make one: "
            f"edgekit tune {bundle.path} --target {target} --fps 30"
        )
    version = decode_file(bundle.file(path), _Versioned).schema_version
    if version > POLICY_SCHEMA:
        raise VersionConflict(f"{path} has schema {version}, up to {POLICY_SCHEMA} is read; upgrade edgekit")
    if version < _OLDEST_READ:
        raise VersionConflict(
            f"{path} has schema {version} of an older edgekit, from {_OLDEST_READ} on is read; "
            f"tune again: edgekit tune {bundle.path} --target {target}"
        )
    policy = decode_file(bundle.file(path), Policy)
    if version < POLICY_SCHEMA:
        policy = _from_schema_2(policy)
    if policy.target != target or sha256_of(bundle, policy.variant) != policy.model_sha256:
        raise BundleError(
            f"{path} is for {policy.variant} on {policy.target} as another model file had it; "
            f"tune again: edgekit tune {bundle.path} --target {target} --fps {policy.fps_target:g}"
        )
    return policy


def _from_schema_2(old: Policy) -> Policy:
    """Return a policy whose deadline had the margin in it, and whose rivals were judged by the period."""
    goal = old.goal
    paced_ms = goal.period_ms / (1.0 + goal.margin_pct / 100.0)
    # Schema 2 did not say whether a deadline was asked for: nearer than 1 % to the pace, none was.
    if goal.deadline_ms > 0.99 * paced_ms:
        goal = replace(goal, deadline_ms=goal.period_ms)
    comparison = tuple(
        replace(o, misses_deadline=o.late_frames > 0 or o.latency_ms > goal.deadline_ms)
        for o in old.comparison
    )
    kinds = (old.provenance, provenance_of(old.energy_source))
    return replace(
        old,
        goal=goal,
        comparison=comparison,
        energy_provenance=None if old.energy_mj is None else least_certain(kinds),
        schema_version=POLICY_SCHEMA,
    )


@dataclass(frozen=True)
class _Versioned:
    schema_version: int
