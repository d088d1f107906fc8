"""Gates against regressions: they pass only where it is shown that B is not too slow, large or costly."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.errors import RegressionError, UnreliableResult
from runtime.measure.compare.difference import UNKNOWN, Difference
from runtime.measure.verdict import MORE_BLOCKS


def check_slowdown(differences: Sequence[Difference], max_slowdown: float) -> None:
    """Raise unless every difference is shown to be at most ``max_slowdown``.

    Args:
        max_slowdown: as a share: 0.05 allows B to take 5 % longer.

    Raises:
        RegressionError: B is slower by more somewhere; the message names each place.
        UnreliableResult: it is unknown, or the interval reaches beyond the limit.
    """
    limit = 1 + max_slowdown
    slower = [d for d in differences if d.interval is not None and d.verdict != UNKNOWN and d.ratio > limit]
    if slower:
        places = "; ".join(f"{d.variant} {d.setting}: {d.change}" for d in slower)
        raise RegressionError(f"slower by more than the {max_slowdown:.1%} allowed: {places}")
    open_ones = [
        d for d in differences if d.verdict == UNKNOWN or d.interval is None or d.interval.high > limit
    ]
    if open_ones:
        places = "; ".join(f"{d.variant} {d.setting}: {d.verdict}, {d.change}" for d in open_ones)
        raise UnreliableResult(
            f"it is unknown whether B is within the {max_slowdown:.1%} allowed: {places}; {MORE_BLOCKS}"
        )


def check_memory(differences: Sequence[Difference], max_growth: float) -> None:
    """Raise unless the memory that came with B's model is nowhere above A's by more than ``max_growth``.

    Args:
        max_growth: as a share: 0.1 allows B 10 % more.

    Raises:
        RegressionError: B takes more somewhere; the message names each place.
        UnreliableResult: it is unknown somewhere.
    """
    larger = [d for d in differences if d.memory_ratio is not None and d.memory_ratio > 1 + max_growth]
    if larger:
        places = "; ".join(f"{d.variant} {d.setting}: {d.memory_change}" for d in larger)
        raise RegressionError(f"more memory than the {max_growth:.1%} allowed: {places}")
    if unknown := [d for d in differences if d.memory_ratio is None]:
        places = "; ".join(f"{d.variant} {d.setting}" for d in unknown)
        raise UnreliableResult(
            f"the memory of A or B is unknown: {places}; modelled targets and records of older versions have "
            "none: bench both on a real target"
        )


def check_energy(differences: Sequence[Difference], max_growth: float) -> None:
    """Raise unless every difference is shown to take at most ``max_growth`` more energy.

    Args:
        max_growth: as a share: 0.05 allows B 5 % more.

    Raises:
        RegressionError: B takes more somewhere; the message names each place.
        UnreliableResult: it is unknown somewhere, or the interval reaches beyond the limit.
    """
    limit = 1 + max_growth
    known = [(d, d.energy_ratio, d.energy_interval) for d in differences]
    if more := [d for d, ratio, span in known if ratio is not None and span is not None and ratio > limit]:
        places = "; ".join(f"{d.variant} {d.setting}: {d.energy_change}" for d in more)
        raise RegressionError(f"more energy than the {max_growth:.1%} allowed: {places}")
    if unknown := [d for d, ratio, span in known if ratio is None or span is None or span.high > limit]:
        places = "; ".join(f"{d.variant} {d.setting}: {d.energy_change or 'no energy'}" for d in unknown)
        raise UnreliableResult(
            f"it is unknown whether B takes at most {max_growth:.1%} more energy: {places}; measure more, "
            "on a target whose power is known"
        )
