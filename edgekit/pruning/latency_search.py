"""Find the widths whose exported network is within a limit of latency, with few exports.

The whole network, the smallest and one in between are exported and timed. What each layer takes at
their widths gives a table of costs, the table the first answer; what is exported of it and timed goes into
the table too, so that the next answer is better, until one is within the limit and near to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import torch
from torch import nn

from edgekit.models.surgery.groups import ChannelGroup
from edgekit.pruning.budget import Budget
from edgekit.pruning.cost_search import CostSearch, Counts
from edgekit.pruning.layer_costs import LayerCosts, work_of
from edgekit.pruning.method import Scores
from edgekit.pruning.timing import LatencyResult, Timing
from runtime.bundle import write_atomic
from runtime.bundle.decoding import read_json
from runtime.errors import CheckpointError, PruneError

if TYPE_CHECKING:
    from edgekit.pruning.cut_timer import CutTimer

LATENCY_FILE = "latency.json"
MOST_EXPORTS = 6
NEAR = 0.92  # of the limit: whoever asks for 10 ms is not served with 8
_AIM, _SURE = 0.965, 0.985  # a figure just below the limit would be above it when measured again
_BETWEEN = 0.5  # rate of the network between the whole and the smallest


@dataclass(frozen=True)
class TimedCut:
    """A network that was exported and timed: what was removed, work and ms of its layers, and the result."""

    counts: Counts
    work: dict[str, int]
    layers_ms: dict[str, float]
    timing: Timing


class LatencySearch:
    """Says how many channels go for a limit of latency; an ``Allocation``.

    Args:
        budget: with a latency.
        model: the network; it is left as it is.
        example: real inputs, shape (N, C, H, W).
        waits: scores at the end of the training decide: the first call only shows what the table says.
        progress: called with each step.

    Attributes:
        timed: all networks that were exported and timed, the whole one first.
    """

    def __init__(
        self,
        budget: Budget,
        model: nn.Module,
        example: torch.Tensor,
        *,
        waits: bool = False,
        progress: Callable[[str], None] = lambda line: None,
    ):
        if budget.latency is None:
            raise ValueError("the budget has no latency; give one, such as 12ms")
        self.budget, self.limit = budget, budget.latency
        self.timed: list[TimedCut] = []
        self._kept: list[TimedCut] = []  # timed by the run that is resumed, which searches as it did
        self._example, self._progress = example, progress
        self._costs = LayerCosts()
        self._search = CostSearch(
            model,
            lambda net: work_of(net, example),
            self._costs.predict_ms,
            budget.share,
            budget.round_to,
        )
        self._found: Counts | None = None
        self._waits = waits
        self._again = int(waits)  # the whole network is exported once more for the second search
        self._factor = 1.0  # of a network timed last to what the table says of it
        self._path: Path | None = None
        self._timer: CutTimer | None = None

    def counts(self, groups: Sequence[ChannelGroup], scores: Scores) -> Counts:
        """Return how many go; exports and times networks.

        Raises:
            PruneError: the limit cannot be met, or is met already.
            ExportError, DeviceError: a network cannot be exported or timed.
        """
        if self._found is not None and self.budget.share != "global":  # else scores change nothing
            return self._found
        try:
            self._time_extremes(groups, scores)
            waits, self._waits = self._waits, False
            self._found = self._table_says(groups, scores) if waits else self._refine(groups, scores)
            return self._found
        finally:
            if self._timer is not None:
                self._timer.close()
                self._timer = None

    def keep_in(self, folder: Path) -> None:
        """Keep what was timed in ``folder``, and what will be: a resumed run takes it from there."""
        self._path = folder / LATENCY_FILE
        self._save()

    def take_from(self, folder: Path) -> None:
        """Take what the run in ``folder`` timed; without such a file nothing.

        Raises:
            CheckpointError: the file is damaged.
        """
        path = folder / LATENCY_FILE
        if path.is_file():
            advice = "prune into another --out"
            where = f"{path} does not tell latencies"
            self._kept = read_json(path, list[TimedCut], where=where, advice=advice, error=CheckpointError)

    def result(self, counts: Counts) -> LatencyResult:
        """Return what is known of the network without ``counts``, one of those that were timed."""
        whole, mine = self.timed[0].timing, self._known(counts)
        if mine is None:
            raise PruneError("the network that is left was never timed; prune into another --out")
        used = self._ms(mine.timing) / self._limit_ms
        return LatencyResult(
            limit_ms=self._limit_ms,
            target=self.limit.target,
            engine=self.limit.engine,
            before=whole,
            after=mine.timing,
            used=used,
            exports=len(self.timed) + self._again,
            duration_s=round(sum(one.timing.export_s + one.timing.timing_s for one in self.timed), 1),
            warnings=self._warnings(mine.timing, used),
        )

    def _time_extremes(self, groups: Sequence[ChannelGroup], scores: Scores) -> None:
        whole = self._time({}, groups, "the whole network")
        if self._ms(whole) <= self._limit_ms:
            raise PruneError(
                f"the budget of {self.limit} is met already, the network takes {_told(whole)}; ask for less"
            )
        least = self._time(self._search.at(1.0, groups, scores), groups, "the smallest network")
        if self._ms(least) > self._limit_ms:
            raise PruneError(
                f"{self.limit} cannot be met: {_told(least)} ({least.ratio:.0%}) is the least with scope "
                f"{self.budget.scope!r} and multiples of {self.budget.round_to}; ask for more, or try "
                "scope all"
            )
        if len(self.timed) < 3:
            self._time(self._search.at(_BETWEEN, groups, scores), groups, "a network in between")

    def _refine(self, groups: Sequence[ChannelGroup], scores: Scores) -> Counts:
        """Export what the table says until one is near enough, or no other is found."""
        while len(self.timed) < MOST_EXPORTS - self._again:
            counts = self._table_says(groups, scores)
            if self._known(counts) is not None:
                break  # the multiples of channels leave nothing nearer
            timing = self._time(counts, groups, f"network {len(self.timed) + 1} of {MOST_EXPORTS} at most")
            self._factor = self._ms(timing) / self._search.cost_of(counts, groups)
            if NEAR <= self._ms(timing) / self._limit_ms <= _SURE:
                return counts
        within = [one for one in self.timed if self._ms(one.timing) <= self._limit_ms]
        return max(within, key=lambda one: self._ms(one.timing)).counts

    def _table_says(self, groups: Sequence[ChannelGroup], scores: Scores) -> Counts:
        return self._search.find(_AIM * self._limit_ms / self._factor, groups, scores)

    def _time(self, counts: Counts, groups: Sequence[ChannelGroup], what: str) -> Timing:
        known = self._known(counts)
        if known is not None:
            return known.timing
        kept = next((one for one in self._kept if one.counts == counts), None)
        if kept is not None:
            self._learn(kept)
            return kept.timing
        net = self._search.cut(counts, groups)
        if self._timer is None:
            from edgekit.pruning.cut_timer import CutTimer  # brings the exporter, seconds of imports

            self._timer = CutTimer(self.limit, self._example, self._progress)
            if self.timed:  # of a run that is resumed, or a second search
                self._timer.time(self._search.cut({}, groups), "the whole network again")
        timing = self._timer.time(net, what)
        self._learn(TimedCut(counts, work_of(net, self._example), self._timer.layers_ms, timing))
        self._save()
        return timing

    def _learn(self, one: TimedCut) -> None:
        self.timed.append(one)
        scale = self._ms(one.timing) / one.timing.latency_ms
        self._costs.add(one.work, {name: ms * scale for name, ms in one.layers_ms.items()})

    def _known(self, counts: Counts) -> TimedCut | None:
        return next((one for one in self.timed if one.counts == counts), None)

    def _ms(self, timing: Timing) -> float:
        """Return a latency to hold against the limit.

        For a share of the whole network's it is the ratio that counts: that a machine gets slower while
        networks are timed changes it little.
        """
        return timing.latency_ms if self.limit.share is None else timing.ratio * self._whole_ms

    @property
    def _whole_ms(self) -> float:
        return self.timed[0].timing.latency_ms

    @property
    def _limit_ms(self) -> float:
        return self.limit.ms if self.limit.share is None else self.limit.share * self._whole_ms

    def _save(self) -> None:
        if self._path is not None:
            # Of a run that is resumed also what it needs later.
            later = [one for one in self._kept if self._known(one.counts) is None]
            write_atomic(
                self._path, msgspec.json.format(msgspec.json.encode([*self.timed, *later]), indent=1)
            )

    def _warnings(self, timing: Timing, used: float) -> tuple[str, ...]:
        found = []
        if used < NEAR:
            found.append(
                f"the network takes {used:.0%} of the latency that it may: none nearer was found with "
                f"multiples of {self.budget.round_to} in {len(self.timed)} exports"
            )
        if timing.verdict == "unstable":
            found.append(f"the latency is not sure: {'; '.join(timing.reasons)}")
        if timing.provenance != "measured":
            found.append(f"the latency is {timing.provenance}, not measured: {'; '.join(timing.reasons)}")
        return tuple(found)


def _told(timing: Timing) -> str:
    kind = "" if timing.provenance == "measured" else f" ({timing.provenance})"
    return f"{timing.latency_ms:.3g} ms{kind}"
