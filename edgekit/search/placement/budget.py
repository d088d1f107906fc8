"""The latency that dynamic blocks may add, as people write it."""

from __future__ import annotations

LARGEST = 5.0


def parse_budget(text: str) -> float:
    """Return a share of the static network's latency: ``10%`` and ``0.1`` are both 0.1.

    Raises:
        ValueError: not a number, not above 0, or above 500 %, where a missing % is more likely.

    Example:
        >>> parse_budget("10%"), parse_budget("0.1")
        (0.1, 0.1)
    """
    stripped = text.strip()
    number = stripped.removesuffix("%").strip()
    try:
        share = float(number) / (100 if stripped.endswith("%") else 1)
    except ValueError:
        raise ValueError(f"dynamic budget {text!r} is no share; write 10% or 0.1") from None
    if not 0 < share <= LARGEST:
        raise ValueError(
            f"dynamic budget {text!r} is {share:.0%} of the static latency; it must be above 0 and at most "
            f"{LARGEST:.0%}: write 10% or 0.1"
        )
    return share
