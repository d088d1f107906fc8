"""The comparison of a policy with governors: those that do the same thing share a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.choose.policy.outcome import Outcome

_ALIKE = 0.005  # figures that differ by less are shown as the same


@dataclass(frozen=True)
class GovernorRow:
    """One row: what became of the frames, and every governor that came to it.

    Attributes:
        outcome: of the policy where it is among them, else of the first of them.
        names: of all of them.
    """

    outcome: Outcome
    names: tuple[str, ...]

    @property
    def is_policy(self) -> bool:
        """Whether this is what the policy does."""
        return self.outcome.governor == "policy"

    @property
    def misses_most(self) -> bool:
        """Whether more than half of the frames were late: its energy is that of too little work."""
        return self.outcome.late_frames > self.outcome.frames / 2


def fold(comparison: Sequence[Outcome]) -> tuple[GovernorRow, ...]:
    """Return the outcomes in their order, the policy first, equal ones folded into one row."""
    groups: list[list[Outcome]] = []
    for outcome in sorted(comparison, key=lambda outcome: outcome.governor != "policy"):
        same = next((group for group in groups if _is_same(group[0], outcome)), None)
        if same is None:
            groups.append([outcome])
        else:
            same.append(outcome)
    return tuple(GovernorRow(group[0], tuple(outcome.title for outcome in group)) for group in groups)


def _is_same(one: Outcome, other: Outcome) -> bool:
    if _key(one) != _key(other):
        return False
    return is_alike(one.latency_ms, other.latency_ms) and is_alike(
        one.energy_mj or 0.0, other.energy_mj or 0.0
    )


def _key(outcome: Outcome) -> tuple[object, ...]:
    clocks = (outcome.freq_low_khz, outcome.freq_high_khz)
    return outcome.cluster, outcome.threads, clocks, outcome.late_frames, outcome.energy_mj is None


def is_alike(one: float, other: float) -> bool:
    """Return whether two figures are the same to a reader.

    Example:
        >>> is_alike(3.556, 3.557), is_alike(3.5, 3.6)
        (True, False)
    """
    return abs(one - other) <= _ALIKE * abs(one)
