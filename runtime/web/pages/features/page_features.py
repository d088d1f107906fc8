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
class Listener:
    """A function of the page that gestures wake, and what it cost in a short scroll of its own.

    Attributes:
        type: of the event: ``scroll``, ``wheel``, ``touchmove``, ...; ``animation frame``, ``timer`` or
            ``script`` of a function that no event calls.
        function: its name; empty where it has none.
        script: where it begins: file, line and column, from 1 on.
        owners: what it listens on: paths of the first elements.
        count: how many these are; 0 of a function that no event calls.
        is_holding: it may stop a scroll, which waits for it therefore.
        calls: how often it was called in the scroll.
        frame_ms: CPU time that it took of a displayed frame, with all that it called; 0 where it was not
            called.
        main_share: share of the main thread's CPU time that this was; ``None``: the browser's threads are
            not to be seen here.
    """

    type: str
    function: str
    script: str
    owners: tuple[str, ...]
    count: int
    is_holding: bool
    calls: int
    frame_ms: float
    main_share: float | None = None


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
        listeners: functions that gestures wake, those that cost most first; empty where nobody asked.
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
    listeners: tuple[Listener, ...] = ()
    version: int = field(default=FEATURES_VERSION)

    def vector(self, names: Sequence[str]) -> list[float]:
        """Return the numbers of ``names`` in their order; NaN where a feature was not read."""
        return [self.values.get(name, math.nan) for name in names]
