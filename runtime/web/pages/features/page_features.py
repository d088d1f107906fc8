"""The features of a page as numbers with names, and what reading them took."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

FEATURES_VERSION = 1  # a name that comes to mean something else gives the next one


@dataclass(frozen=True)
class Painted:
    """Boxes of one name that are drawn in one expensive way, on the screens that count as seen.

    Attributes:
        kind: the feature's name without its group: ``shadow``, ``filter``, ...
        owner: tag and classes, or the id, of the boxes.
        count, area: how many there are, and how many screens they are large together.
    """

    kind: str
    owner: str
    count: int
    area: float


@dataclass(frozen=True)
class PageFeatures:
    """What was read off a page.

    Attributes:
        url: of the page.
        values: each feature's number, of the groups that were read.
        cost_ms: what reading each group took here, in ms.
        left_out: groups that the budget left no time for, or that failed.
        notes: what was cut short or failed, and why.
        scroller: ``document``, or the element that scrolls in its place.
        slowness: what the groups took against what they were expected to; give it to the next reading on the
            same machine.
        painted: whose boxes are expensive to draw, of each kind the largest.
        version: of the names.
    """

    url: str
    values: dict[str, float]
    cost_ms: dict[str, float]
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    scroller: str = "document"
    slowness: float = 1.0
    painted: tuple[Painted, ...] = ()
    version: int = field(default=FEATURES_VERSION)

    def vector(self, names: Sequence[str]) -> list[float]:
        """Return the numbers of ``names`` in their order; NaN where a feature was not read."""
        return [self.values.get(name, math.nan) for name in names]
