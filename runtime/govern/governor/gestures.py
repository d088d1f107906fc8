"""What a session of gestures runs at: the setting that its program names, within what is allowed now.

A scroll is some hundred frames of one page, and whoever knows the page knows what they take at a setting
(``runtime.web.learning``): a browser tells of no frame while a gesture lasts, so nothing is decided frame by
frame. The program names a setting for the gesture, and one for the time between gestures; the governor moves
its threads, sets the clock, keeps caps and the other sessions' claims, and restores everything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from runtime.choose.decision import Decision, DecisionTable
from runtime.choose.decision.trust import Trust


class HeldStrategy:
    """Keeps to a row that was named; where heat or a limit forbids that, to the fastest one that is left.

    Args:
        table: rows of all settings of the machine, on one CPU each.
        cluster, freq_khz: of the row to begin with.

    Raises:
        ValueError: the machine has no such setting.

    Example:
        >>> from runtime.choose.policy.estimate import Estimate
        >>> from runtime.device.setting import Setting
        >>> slow = Estimate("", Setting("big", 600_000), 3.0, 3.0, 3.0, 100.0, 0.3)
        >>> fast = Estimate("", Setting("big", 2_400_000), 1.0, 1.0, 1.0, 1500.0, 1.5)
        >>> held = HeldStrategy(DecisionTable((slow, fast)), "big", 2_400_000)
        >>> held.decide(0.0).row
        1
        >>> held.caps = {"big": 600_000}
        >>> held.decide(0.0).row, held.decide(0.0).meets_deadline
        (0, False)
    """

    deadline_ms = math.inf  # of its frames the governor knows nothing
    changes_within_frames = False
    next_ms = math.inf

    def __init__(self, table: DecisionTable, cluster: str, freq_khz: int):
        self.table = table
        self.trust = Trust()
        self.caps: Mapping[str, int] = {}
        self.max_power_mw = math.inf
        self._said = ""
        self.hold(cluster, freq_khz)

    def hold(self, cluster: str, freq_khz: int) -> None:
        """Keep to another row from the next decision on; raises as the class."""
        for row, estimate in enumerate(self.table.rows):
            if (estimate.setting.cluster, estimate.setting.freq_khz) == (cluster, freq_khz):
                self._row = row
                return
        clocks = sorted(
            {row.setting.freq_khz or 0 for row in self.table.rows if row.setting.cluster == cluster}
        )
        allowed = f"its clocks in kHz: {clocks}" if clocks else f"clusters: {', '.join(self.table.clusters)}"
        raise ValueError(f"there is no setting {cluster} at {freq_khz} kHz; {allowed}")

    def decide(self, now_s: float) -> Decision:
        """Return the row to run at now, and whether it is the one that was named."""
        row = self._row if self._is_allowed(self._row) else self._instead()
        reason = ""
        if row != self._row:
            asked, got = self.table.rows[self._row].setting, self.table.rows[row].setting
            reason = f"{asked} is above the limit of now: {got} instead"
        is_news, self._said = reason != self._said, reason
        return Decision(row, row == self._row, reason if is_news else "")

    def begin(self, remaining_ms: float | None, now_s: float) -> Decision:
        """Return the same: a frame changes nothing."""
        return self.decide(now_s)

    def change(self) -> Decision:
        """Return the same."""
        return self.decide(0.0)

    def learn(self, parts: object, is_late: bool, now_s: float, is_cold: bool) -> None:
        """Learn nothing: whoever names the rows does."""

    def retarget(self, deadline_ms: float) -> None:
        """Refuse: frames of gestures have no deadline here."""
        raise ValueError("a session of gestures has no deadline; name another setting with hold")

    def fastest(self) -> int:
        """Return the fastest row within the limits."""
        return self.table.fastest(self.max_power_mw, self.caps)

    def headroom(self) -> float:
        """Refuse, as ``retarget``."""
        raise ValueError("a session of gestures has no deadline, and so no headroom")

    def _instead(self) -> int:
        """Return the fastest row that is allowed on the same cluster, else on any."""
        cluster_of, rows = self.table.cluster_of, self.table.rows
        near = [r for r in range(len(rows)) if cluster_of[r] == cluster_of[self._row] and self._is_allowed(r)]
        return min(near, key=lambda row: rows[row].latency_ms, default=self.fastest())

    def _is_allowed(self, row: int) -> bool:
        return self.table.is_allowed(row, self.max_power_mw, self.caps)
