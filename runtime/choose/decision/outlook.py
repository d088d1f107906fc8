"""What a frame would take at each row from now on, and the row, or the two rows, that cost least.

Between two rows any speed can be had: a frame begins at the slower one and goes on at the faster one after so
long that all but the frames allowed to be late end in time. Most frames are shorter than that and hardly
see the expensive row, so such a frame costs less than one at the single row above, although it keeps the
same deadline (Ishihara and Yasuura, ISLPED 1998: the two neighbours of the ideal clock; Lorch and Smith,
"PACE", SIGMETRICS 2001: slow first where work is not known). What a change stops the frame for, on the way
up and on the way back, is counted in.

Pure arithmetic: the C that ``edgekit tune --emit c`` writes does the same on the same doubles in the same
order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from runtime.choose.decision.slowdown import Slowdown
from runtime.choose.decision.table import DecisionTable


@dataclass(frozen=True)
class ChangeCost:
    """For how long a change stops a frame, in ms: between two clocks of a cluster, and between two clusters.

    The defaults are assumed, on the safe side, until changes were measured: what counts too much changes
    less.
    """

    clock_ms: float = 0.5
    cluster_ms: float = 0.5


@dataclass(frozen=True)
class RowPlan:
    """Rows of a frame: ``first`` until ``until_ms`` after its beginning, then ``then``.

    Attributes:
        until_ms: infinite where one row serves the whole frame, which ``then`` is, too.
        cost: of a typical frame, as ``DecisionTable.cost`` counts; infinite where it is not in time.
    """

    first: int
    then: int
    until_ms: float
    cost: float


class Outlook:
    """What a frame takes at each row, by a table and what frames have shown.

    Args:
        table: rows to choose from.
        slowdown: learnt so far; numbers of clusters are those of ``table.clusters``.
        is_allowed: whether a row may be used now.
        change: what changing within a frame costs.

    Attributes:
        expected_ms: of a typical frame, at each row.
        bound_ms: of all but the frames that may be late.
    """

    def __init__(
        self, table: DecisionTable, slowdown: Slowdown, is_allowed: Callable[[int], bool], change: ChangeCost
    ):
        self._table, self._slowdown, self._is_allowed, self._change = table, slowdown, is_allowed, change
        of_cluster, upper = slowdown.of_cluster, slowdown.upper
        self.expected_ms = [
            row.latency_ms * of_cluster[cluster]
            for row, cluster in zip(table.rows, table.cluster_of, strict=True)
        ]
        self.bound_ms = (
            [ms * upper for ms in self.expected_ms]
            if slowdown.is_known
            else [row.latency_high_ms for row in table.rows]
        )

    def single(self, remaining_ms: float, cluster: int | None = None) -> RowPlan:
        """Return the cheapest row that is in time, else the fastest, at an infinite cost.

        Args:
            remaining_ms: until the frame's deadline.
            cluster: choose only among its rows.
        """
        best, best_cost, fastest, least_ms = -1, math.inf, -1, math.inf
        for row, bound_ms in enumerate(self.bound_ms):
            if not self._is_allowed(row) or cluster not in (None, self._table.cluster_of[row]):
                continue
            if bound_ms <= remaining_ms:
                cost = self._table.cost(row, self.expected_ms[row])
                if cost < best_cost:
                    best, best_cost = row, cost
            if bound_ms < least_ms:
                fastest, least_ms = row, bound_ms
        if best < 0:
            best = self._table.coolest if fastest < 0 else fastest
        return RowPlan(best, best, math.inf, best_cost)

    def best(self, remaining_ms: float, gain: float, *, mixes: bool) -> RowPlan:
        """Return the cheapest plan that is in time, else the fastest row, at an infinite cost.

        Args:
            remaining_ms: until the frame's deadline.
            gain: share of the cost that two rows must save over one.
            mixes: rows can be changed within the frame.
        """
        found = self.single(remaining_ms)
        if not mixes or not self._slowdown.is_known or found.cost == math.inf:
            return found
        mixable, limit = self._table.mixable, found.cost * (1.0 - gain)
        usable = [row for row, kind in enumerate(mixable) if kind is not None and self._is_allowed(row)]
        quick = [row for row in usable if self.bound_ms[row] <= remaining_ms]
        for first in usable:
            if (
                self.bound_ms[first] <= remaining_ms
                or self._table.cost(first, self.expected_ms[first]) >= limit
            ):
                continue
            for then in quick:
                if mixable[then] != mixable[first]:
                    continue
                plan = self._mixed(first, then, remaining_ms)
                if plan.cost < limit:
                    found, limit = plan, plan.cost
        return found

    def again(self, plan: RowPlan, remaining_ms: float) -> RowPlan:
        """Return the same rows for a frame with so much time; at an infinite cost where it would be late."""
        if plan.then != plan.first:
            is_allowed = self._is_allowed(plan.first) and self._is_allowed(plan.then)
            mixed = self._mixed(plan.first, plan.then, remaining_ms)
            return mixed if is_allowed else RowPlan(plan.first, plan.then, plan.until_ms, math.inf)
        is_in_time = self._is_allowed(plan.first) and self.bound_ms[plan.first] <= remaining_ms
        cost = self._table.cost(plan.first, self.expected_ms[plan.first]) if is_in_time else math.inf
        return RowPlan(plan.first, plan.first, math.inf, cost)

    def _mixed(self, first: int, then: int, remaining_ms: float) -> RowPlan:
        """Return the plan of two rows that is just in time.

        Frames are taken for spread evenly over two spreads on both sides of the typical one.
        """
        table, spread = self._table, self._slowdown.spread
        is_near = table.cluster_of[first] == table.cluster_of[then]
        change_ms = self._change.clock_ms if is_near else self._change.cluster_ms
        slow_ms, fast_ms = self.expected_ms[first], self.expected_ms[then]
        spare_ms = remaining_ms - self.bound_ms[then]
        if not (spare_ms > 0.0 and fast_ms < slow_ms):
            return RowPlan(first, then, 0.0, math.inf)
        own_ms = spare_ms / (1.0 - fast_ms / slow_ms)
        done = own_ms / slow_ms
        if done <= 1.0 - 2.0 * spread:
            changed, rest = 1.0, 1.0 - done
        elif done < 1.0 + 2.0 * spread:
            over = 1.0 + 2.0 * spread - done
            changed = over / (4.0 * spread)
            rest = 0.5 * over * changed
        else:
            changed, rest = 0.0, 0.0
        cost = table.cost(first, slow_ms) * (1.0 - rest) + table.cost(then, fast_ms) * rest
        cost = cost + changed * (table.cost(first, change_ms) + table.cost(then, change_ms))
        return RowPlan(first, then, own_ms, cost)
