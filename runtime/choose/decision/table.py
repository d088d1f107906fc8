"""The rows of a policy, cheapest first, and which of them keeps a deadline. Needs no numpy.

The C code that ``edgekit tune --emit c`` writes does the same comparisons on the same doubles in the
same order, so its decisions are these to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from runtime.choose.decision.hull import lower_hull
from runtime.choose.policy.estimate import Estimate

if TYPE_CHECKING:
    from runtime.choose.policy.goal import Goal
    from runtime.choose.policy.policy import Policy


@dataclass(frozen=True)
class Decision:
    """What to run the next frame at.

    Attributes:
        row: of the table; ``None`` leaves the clock to the kernel.
        meets_deadline: whether the row is expected to be in time.
        reason: why, in words; empty while nothing changes.
    """

    row: int | None
    meets_deadline: bool
    reason: str = ""


@dataclass(frozen=True)
class DecisionTable:
    """Rows, each an estimate of one way to run a frame, in the order of their cost; earlier is better.

    Attributes:
        over_mw: what counts as power while a row runs, besides its own, where cost is the energy from frame
            to frame, so that two rows can share a frame; ``None``: cost is another, or not known of all rows.

    Raises:
        ValueError: no rows, or figures that no row can have.

    Example:
        >>> from runtime.device.setting import Setting
        >>> slow = Estimate("litert-fp32", Setting("little", 600_000), 30.0, 30.0, 33.0, 100.0, 3.0)
        >>> fast = Estimate("litert-fp32", Setting("big", 2_400_000), 5.0, 5.0, 6.0, 1500.0, 7.5)
        >>> table = DecisionTable((slow, fast))
        >>> table.decide(33.4), table.decide(33.4, slowdown=1.1), table.decide(10.0, max_power_mw=500.0)
        (0, 1, 0)
    """

    rows: tuple[Estimate, ...]
    over_mw: float | None = None

    def __post_init__(self) -> None:
        if not self.rows:
            raise ValueError("there is no row to decide among; tune the bundle first: edgekit tune BUNDLE")
        for row in self.rows:
            times = (row.latency_ms, row.latency_high_ms)
            known = [figure for figure in (row.power_mw, row.energy_mj) if figure is not None]
            if not all(0 < ms < math.inf for ms in times) or not all(0 <= f < math.inf for f in known):
                raise ValueError(
                    f"{row} cannot be: latencies must be above 0 and finite, power and energy not negative; "
                    "tune the bundle again"
                )

    @classmethod
    def from_policy(cls, policy: Policy, variant: str | None = None) -> DecisionTable:
        """Return the rows that ``policy`` was chosen among, in the order of its objective.

        Rows that break its cap or its budget are left out, unless all do.

        Args:
            variant: only rows of it, as a process that has one model loaded needs; default: all.

        Raises:
            ValueError: the policy has no such rows.
        """
        kept = [e for e in policy.considered if variant in (None, e.variant)]
        if not kept and policy.considered:
            known = ", ".join(dict.fromkeys(e.variant for e in policy.considered))
            raise ValueError(
                f"the policy for {policy.target} has no variant {variant!r}; choose one of: {known}"
            )
        return cls.by_goal(kept, policy.goal)

    @classmethod
    def by_goal(cls, estimates: Sequence[Estimate], goal: Goal) -> DecisionTable:
        """Return the rows that keep the goal's cap and budget, or all where none does, the best first."""
        allowed = [estimate for estimate in estimates if goal.excess(estimate) == 0.0]
        rows = tuple(sorted(allowed or estimates, key=goal.order))
        is_known = all(row.power_mw is not None for row in rows)
        return cls(rows, goal.over_mw if is_known else None)

    def scaled(self, full_ms: float) -> DecisionTable:
        """Return the table of work that takes ``full_ms`` times as long as that of this one.

        Example:
            >>> from runtime.device.setting import Setting
            >>> row = Estimate("", Setting("big", 2_400_000), 1.0, 1.0, 1.1, 1500.0, 1.5)
            >>> DecisionTable((row,)).scaled(20.0).rows[0].latency_ms
            20.0
        """
        rows = tuple(
            replace(
                row,
                latency_ms=row.latency_ms * full_ms,
                latency_low_ms=row.latency_low_ms * full_ms,
                latency_high_ms=row.latency_high_ms * full_ms,
                energy_mj=None if row.energy_mj is None else row.energy_mj * full_ms,
            )
            for row in self.rows
        )
        return replace(self, rows=rows)

    @cached_property
    def clusters(self) -> tuple[str, ...]:
        """Names of the clusters, in the order in which the rows name them."""
        return tuple(dict.fromkeys(row.setting.cluster for row in self.rows))

    @cached_property
    def cluster_of(self) -> tuple[int, ...]:
        """Number of each row's cluster in ``clusters``."""
        return tuple(self.clusters.index(row.setting.cluster) for row in self.rows)

    @cached_property
    def mixable(self) -> tuple[int | None, ...]:
        """Which rows may share a frame: those of the same number. ``None``: the row is not worth sharing one.

        Rows of one variant and number of threads, and of those on each cluster the lower convex hull of
        energy over latency: between two of them any speed can be had, for less than at the rows above.
        """
        if self.over_mw is None:
            return (None,) * len(self.rows)
        found: list[int | None] = [None] * len(self.rows)
        kinds = list(dict.fromkeys((row.variant, row.setting.threads) for row in self.rows))
        places: dict[tuple[int, int], list[int]] = {}
        for index, row in enumerate(self.rows):
            kind = kinds.index((row.variant, row.setting.threads))
            places.setdefault((kind, self.cluster_of[index]), []).append(index)
        for (kind, _), ladder in places.items():
            times = [self.rows[index].latency_ms for index in ladder]
            energies = [self.cost(index, ms) for index, ms in zip(ladder, times, strict=True)]
            for place in lower_hull(times, energies):
                found[ladder[place]] = kind
        return tuple(found)

    def cost(self, row: int, expected_ms: float) -> float:
        """Return what a frame of ``expected_ms`` costs at ``row``: energy in uJ, or its place in order."""
        power_mw = self.rows[row].power_mw
        if self.over_mw is None or power_mw is None:
            return float(row)
        return (power_mw + self.over_mw) * expected_ms

    def decide(
        self,
        deadline_ms: float,
        slowdown: float = 1.0,
        *,
        max_power_mw: float = math.inf,
        max_freq_khz: Mapping[str, int] | None = None,
    ) -> int:
        """Return the index of the cheapest row that is in time and not too hot.

        That is the first whose ``latency_high_ms * slowdown <= deadline_ms``; where none is in time,
        the fastest that the caps allow; where they allow none, the ``coolest``. A slowdown that is not
        above zero, NaN too, says nothing, so no row counts as in time.

        Args:
            slowdown: how many times its bound a frame takes now.
            max_power_mw: of a row; below infinity, rows of unknown power are not allowed.
            max_freq_khz: per cluster, for those that have a cap.
        """
        caps = max_freq_khz or {}
        is_known = slowdown > 0.0  # not so for NaN
        fastest, least_ms = -1, math.inf
        for index, (high_ms, _, _, _) in enumerate(self._scanned):
            if not self.is_allowed(index, max_power_mw, caps):
                continue
            if is_known and high_ms * slowdown <= deadline_ms:
                return index
            if high_ms < least_ms:
                fastest, least_ms = index, high_ms
        return self.coolest if fastest < 0 else fastest

    def fastest(self, max_power_mw: float, max_freq_khz: Mapping[str, int]) -> int:
        """Return the index of the fastest row within the caps; arguments as ``decide``."""
        return self.decide(0.0, max_power_mw=max_power_mw, max_freq_khz=max_freq_khz)

    def is_allowed(self, row: int, max_power_mw: float, max_freq_khz: Mapping[str, int]) -> bool:
        """Return whether a row is within the caps; arguments as ``decide``."""
        _, power_mw, cluster, freq_khz = self._scanned[row]
        return power_mw <= max_power_mw and not freq_khz > max_freq_khz.get(cluster, freq_khz)

    @cached_property
    def coolest(self) -> int:
        """Index of the row of least power; among those of unknown power, the slowest."""
        keys = [(power_mw, -high_ms) for high_ms, power_mw, _, _ in self._scanned]
        return min(range(len(keys)), key=lambda index: (keys[index], index))

    @cached_property
    def _scanned(self) -> tuple[tuple[float, float, str, int], ...]:
        return tuple(
            (
                row.latency_high_ms,
                math.inf if row.power_mw is None else row.power_mw,
                row.setting.cluster,
                row.setting.freq_khz or 0,
            )
            for row in self.rows
        )
