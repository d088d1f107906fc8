"""What a policy saves on the same frames, in words with numbers."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.choose.policy.outcome import Outcome
from runtime.choose.policy.policy import Policy

# What phones ship with. `performance` burns the most of all, so a saving against it says little.
BASELINE = "eas"
_SAME_PCT = 0.5  # closer than what rounds to a whole percent is called equal


def explain_savings(policy: Policy) -> str:
    """Return what the policy saves against schedutil + EAS, and what could still be saved.

    A governor that misses the deadline bought less with its energy, so no saving is stated against it.
    Empty where there is nothing to compare, and where the policy misses the deadline itself.

    Example:
        >>> explain_savings(policy)                                     # doctest: +SKIP
        'Saves 21 % against EAS + schedutil. The policy takes as little as the exhaustive best.'
    """
    rows = {outcome.governor: outcome for outcome in policy.comparison}
    if "policy" not in rows or rows["policy"].misses_deadline:
        return ""
    words = []
    base, best = rows.get(BASELINE), rows.get("best")
    if base is not None and base.misses_deadline:
        late = f"{base.late_frames} of {base.frames} frames"
        words.append(f"{base.title} misses the deadline of {policy.deadline_ms:.3g} ms in {late}.")
    elif base is not None and base.saved_pct is not None:
        words.append(_against(base, base.saved_pct) + _settled(rows, base))
    if best is not None and best.saved_pct is not None and policy.objective in ("awake", "race-to-sleep"):
        more_pct = -best.saved_pct
        least = f"{more_pct:.0f} % more than" if more_pct > _SAME_PCT else "as little as"
        words.append(f"The policy takes {least} the {best.title}.")
    return " ".join(words)


def _settled(rows: Mapping[str, Outcome], base: Outcome) -> str:
    """Return what is saved once feedback has corrected the table, where that is something else."""
    held, governed = rows["policy"], rows.get("governed")
    if governed is None or not held.energy_mj or not governed.energy_mj or not base.energy_mj:
        return ""
    if governed.misses_deadline or abs(governed.energy_mj / held.energy_mj - 1.0) * 100.0 <= _SAME_PCT:
        return ""
    against = _against(base, 100.0 * (1.0 - governed.energy_mj / base.energy_mj))
    return f" Settled under edgekit govern: {against[0].lower()}{against[1:]}"


def _against(base: Outcome, saved_pct: float) -> str:
    if saved_pct > _SAME_PCT:
        return f"Saves {saved_pct:.0f} % against {base.title}."
    if saved_pct < -_SAME_PCT:
        return f"Takes {-saved_pct:.0f} % more energy than {base.title}."
    return f"Takes as much energy as {base.title}."
