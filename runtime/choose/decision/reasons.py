"""Why a controller has changed what frames run at, in words."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.choose.decision.outlook import Outlook, RowPlan
from runtime.choose.decision.slowdown import Slowdown
from runtime.choose.decision.table import DecisionTable


@dataclass(frozen=True)
class Reasons:
    """Words on plans for frames of one table.

    Attributes:
        calm_frames: that had to ask for something cheaper, at least.
        deadline_ms: of the frames.
        is_capped: rows are left out, by heat or by whoever set a limit.
    """

    table: DecisionTable
    slowdown: Slowdown
    outlook: Outlook
    calm_frames: int
    deadline_ms: float
    is_capped: bool

    def why_late(self, plan: RowPlan) -> str:
        """Return that nothing is fast enough."""
        cap = " that the cap allows" if self.is_capped else ""
        setting, bound = self._name(plan)
        return f"nothing{cap} meets {self.deadline_ms:.3g} ms: {setting} is the fastest ({bound})"

    def why(self, plan: RowPlan, before: RowPlan | None, *, was_trusted: bool) -> str:
        """Return why frames run at ``plan`` now, at ``before`` until now; empty where that is the same."""
        if before is not None and (plan.first, plan.then) == (before.first, before.then):
            return ""
        setting, bound = self._name(plan)
        if plan.then != plan.first:
            then = self.table.rows[plan.then].setting
            return f"{setting} for {plan.until_ms:.3g} ms of a frame, then {then}, is the cheapest in time"
        if not was_trusted:
            return f"back from the kernel's clock: {setting} ({bound})"
        if before is None:
            return f"{setting} is the cheapest that meets {self.deadline_ms:.3g} ms ({bound})"
        if self.outlook.bound_ms[plan.first] < self.outlook.bound_ms[before.first]:
            return f"up to {setting}: {self._why_up(plan.first)} ({bound})"
        return (
            f"down to {setting}: {self.calm_frames} frames or more in a row would have been in time ({bound})"
        )

    def _name(self, plan: RowPlan) -> tuple[str, str]:
        setting, bound_ms = self.table.rows[plan.first].setting, self.outlook.bound_ms[plan.first]
        return str(setting), f"{bound_ms:.3g} ms at most"

    def _why_up(self, row: int) -> str:
        times = self.slowdown.of_cluster[self.table.cluster_of[row]]
        room_pct = 100 * (self.slowdown.upper - 1)
        return f"frames take {times:.2f} times the table's latency, {room_pct:.0f} % of room is kept"
