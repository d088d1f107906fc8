"""How much to prune: a rate, or a budget of multiply-accumulates, parameters or latency, shared out."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from edgekit.models import count_macs, count_parameters
from edgekit.models.surgery.groups import SCOPES, ChannelGroup
from edgekit.models.surgery.plan import removable_channels
from edgekit.pruning.cost_search import CostSearch, Counts, competing, some
from edgekit.pruning.latency_limit import LatencyLimit
from edgekit.pruning.method import Allocation, Scores
from runtime.errors import PruneError

SHARES = ("uniform", "global")
AMOUNTS = ("rate", "macs", "params", "latency", "rates")  # a budget gives one of them
_COUNTS: dict[str, Callable[[nn.Module, tuple[int, int, int]], int]] = {
    "macs": count_macs,
    "params": lambda model, _: count_parameters(model),
}
_UNITS = {"macs": "MACs", "params": "parameters"}


@dataclass(frozen=True)
class Budget:
    """What is asked; exactly one of ``rate``, ``macs``, ``params``, ``latency``, ``rates`` is given.

    Attributes:
        rate: share of every group's channels to remove, in (0, 1).
        macs, params: what may be left: a share of the network's own up to 1, else a number.
        latency: what the exported network may take, and where.
        rates: a share for each group: shell patterns of names, the first that fits decides.
        share: ``uniform``: every group loses the same share; ``global``: the least important channels
            of all groups go, at most 90 % of one. ``None``: as the method has it, mostly ``uniform``.
        scope: ``inside`` or ``all``: see ``ChannelGraph.groups``.
        round_to: kept channels are rounded up to a multiple of this, inside the search.

    Raises:
        ValueError: a value is out of range, or there is not exactly one.
    """

    rate: float | None = None
    macs: float | None = None
    params: float | None = None
    latency: LatencyLimit | None = None
    rates: Mapping[str, float] | None = None
    share: str | None = None
    scope: str = "inside"
    round_to: int = 8

    def __post_init__(self) -> None:
        given = [name for name in AMOUNTS if getattr(self, name) is not None]
        if len(given) != 1:
            said = f"{', '.join(given)} are given" if given else "no amount is given"
            raise ValueError(f"{said}; choose one of a rate, MACs, parameters, a latency and rates per layer")
        for rate in (self.rate, *(self.rates or {}).values()):
            if rate is not None and not 0 < rate < 1:
                raise ValueError(f"rate is {rate}; it must be above 0 and below 1")
        for name in ("macs", "params"):
            limit = getattr(self, name)
            if limit is not None and not 0 < limit < math.inf:
                raise ValueError(f"{name} is {limit}; give a share such as 0.5, or a number")
        if self.round_to < 1:
            raise ValueError(f"round_to is {self.round_to}; it must be at least 1")
        for name, allowed in (("share", (None, *SHARES)), ("scope", SCOPES)):
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}; allowed: {', '.join(filter(None, allowed))}"
                )

    def identity(self) -> dict[str, Any]:
        """Return what is asked, as plain values without what is not."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in values.items() if value is not None}

    def allocation(self, model: nn.Module, example: torch.Tensor) -> Allocation:
        """Return what shares this budget of ``model`` out; ``example`` has the shape (1, C, H, W).

        One of latency is found by a ``LatencySearch``.
        """
        if self.macs is None and self.params is None:
            return _Rates(self)
        return _Counted(self, model, tuple(example.shape[1:]))


@dataclass(frozen=True)
class _Rates:
    """Every group loses a share that is known."""

    budget: Budget

    def counts(self, groups: Sequence[ChannelGroup], scores: Scores) -> Counts:
        if self.budget.share == "global" and self.budget.rate is not None:
            return competing(groups, scores, self.budget.rate, self.budget.round_to)
        rates = self.budget.rates or {"*": self.budget.rate}
        unused = [p for p in rates if not any(fnmatch.fnmatchcase(group.name, p) for group in groups)]
        if unused:
            names = ", ".join(group.name for group in groups)
            raise PruneError(f"no layer that can lose channels is called {unused[0]!r}; they are: {names}")
        found = {
            group.name: next((r for p, r in rates.items() if fnmatch.fnmatchcase(group.name, p)), 0.0)
            for group in groups
        }
        return some(
            {
                g.name: removable_channels(g.channels, found[g.name], round_to=self.budget.round_to)
                for g in groups
            }
        )


class _Counted:
    """Finds what is within a budget that is counted: MACs or parameters."""

    def __init__(self, budget: Budget, model: nn.Module, input_shape: tuple[int, int, int]):
        kind = "macs" if budget.macs is not None else "params"
        count = _COUNTS[kind]
        self.budget, self.unit = budget, _UNITS[kind]
        self._search = CostSearch(
            model, lambda net: count(net, input_shape), float, budget.share, budget.round_to
        )
        self._found: Counts | None = None
        whole, limit = count(model, input_shape), getattr(budget, kind)
        self.whole, self.limit = whole, limit * whole if limit <= 1 else limit
        if self.limit >= whole:
            raise PruneError(
                f"the budget of {self.limit:.0f} {self.unit} is met already, the network has {whole}; "
                "ask for less"
            )

    def counts(self, groups: Sequence[ChannelGroup], scores: Scores) -> Counts:
        if self.budget.share == "global" or self._found is None:  # else scores change nothing
            search = self._search
            least = search.cost_of(search.at(1.0, groups, scores), groups)
            if least > self.limit:
                raise PruneError(
                    f"{self.limit:.0f} {self.unit} cannot be met: {least:.0f} ({least / self.whole:.0%}) is "
                    f"the least with scope {self.budget.scope!r} and multiples of {self.budget.round_to}; "
                    "ask for more, or try scope all"
                )
            self._found = search.find(self.limit, groups, scores)
        return self._found
