"""How much to prune: a rate, or a budget of multiply-accumulates or parameters, shared out over groups."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from edgekit.models import count_macs, count_parameters
from edgekit.models.surgery.groups import SCOPES, ChannelGroup, Removal
from edgekit.models.surgery.plan import removable_channels
from edgekit.models.surgery.removal import cut
from edgekit.pruning.method import Allocation, Scores
from runtime.errors import PruneError

SHARES = ("uniform", "global")
_CEILING = 0.9  # of a layer's channels may go when layers compete: one that is nearly gone stops the signal
_BISECTIONS = 24
_COUNTS: dict[str, Callable[[nn.Module, tuple[int, int, int]], int]] = {
    "macs": count_macs,
    "params": lambda model, _: count_parameters(model),
}
_UNITS = {"macs": "MACs", "params": "parameters"}


@dataclass(frozen=True)
class Budget:
    """What is asked; exactly one of ``rate``, ``macs``, ``params`` and ``rates`` is given.

    Attributes:
        rate: share of every group's channels to remove, in (0, 1).
        macs, params: what may be left: a share of the network's own below 1, else a number.
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
    rates: Mapping[str, float] | None = None
    share: str | None = None
    scope: str = "inside"
    round_to: int = 8

    def __post_init__(self) -> None:
        given = [name for name in ("rate", "macs", "params", "rates") if getattr(self, name) is not None]
        if len(given) != 1:
            said = f"{', '.join(given)} are given" if given else "no amount is given"
            raise ValueError(f"{said}; choose one of a rate, MACs, parameters and rates per layer")
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
        """Return what shares this budget of ``model`` out; ``example`` has the shape (1, C, H, W)."""
        if self.macs is None and self.params is None:
            return _Rates(self)
        return _Search(self, model, tuple(example.shape[1:]))


@dataclass(frozen=True)
class _Rates:
    """Every group loses a share that is known."""

    budget: Budget

    def counts(self, groups: Sequence[ChannelGroup], scores: Scores) -> dict[str, int]:
        if self.budget.share == "global" and self.budget.rate is not None:
            return _competing(groups, scores, self.budget.rate, self.budget.round_to)
        rates = self.budget.rates or {"*": self.budget.rate}
        unused = [p for p in rates if not any(fnmatch.fnmatchcase(group.name, p) for group in groups)]
        if unused:
            names = ", ".join(group.name for group in groups)
            raise PruneError(f"no layer that can lose channels is called {unused[0]!r}; they are: {names}")
        found = {
            group.name: next((r for p, r in rates.items() if fnmatch.fnmatchcase(group.name, p)), 0.0)
            for group in groups
        }
        return _some(
            {
                g.name: removable_channels(g.channels, found[g.name], round_to=self.budget.round_to)
                for g in groups
            }
        )


class _Search:
    """Finds the rate whose network is within the budget, and fills what rounding leaves of it."""

    def __init__(self, budget: Budget, model: nn.Module, input_shape: tuple[int, int, int]):
        self.kind = "macs" if budget.macs is not None else "params"
        self.budget, self.model, self.input_shape = budget, model, input_shape
        self._found: dict[str, int] | None = None
        whole = self._cost({}, ())
        limit = getattr(budget, self.kind)
        self.whole, self.limit = whole, limit * whole if limit < 1 else limit
        if self.limit >= whole:
            raise PruneError(
                f"the budget of {self.limit:.0f} {_UNITS[self.kind]} is met already, the network has "
                f"{whole}; ask for less"
            )

    def counts(self, groups: Sequence[ChannelGroup], scores: Scores) -> dict[str, int]:
        if self.budget.share == "global" or self._found is None:  # else scores change nothing
            self._found = self._search(groups, scores)
        return self._found

    def _search(self, groups: Sequence[ChannelGroup], scores: Scores) -> dict[str, int]:
        share = _competing if self.budget.share == "global" else _alike
        low, high = 0.0, 1.0
        within = share(groups, scores, high, self.budget.round_to)
        least = self._cost(within, groups)
        if least > self.limit:
            raise PruneError(
                f"{self.limit:.0f} {_UNITS[self.kind]} cannot be met: {least} ({least / self.whole:.0%}) is "
                f"the least with scope {self.budget.scope!r} and multiples of {self.budget.round_to}; ask "
                "for more, or try scope all"
            )
        above: dict[str, int] = {}
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            tried = share(groups, scores, middle, self.budget.round_to)
            if tried in (above, within):
                low, high = (middle, high) if tried == above else (low, middle)
            elif self._cost(tried, groups) > self.limit:
                low, above = middle, tried
            else:
                high, within = middle, tried
        return self._fill(above, within, groups)

    def _fill(
        self, above: dict[str, int], within: dict[str, int], groups: Sequence[ChannelGroup]
    ) -> dict[str, int]:
        """Go from ``above`` the budget towards ``within`` it, a multiple of one group at a time.

        Where the last step saved more than was needed, smaller ones are undone.
        """
        counts = dict(above)
        for group in groups:
            while counts.get(group.name, 0) < within.get(group.name, 0):
                counts[group.name] = self._less(group, counts.get(group.name, 0))
                if self._cost(counts, groups) <= self.limit:
                    return self._undo(counts, groups)
        return self._undo(counts, groups)

    def _undo(self, counts: dict[str, int], groups: Sequence[ChannelGroup]) -> dict[str, int]:
        for group in groups:
            while counts.get(group.name, 0):
                more = {**counts, group.name: max(0, counts[group.name] - self.budget.round_to)}
                if self._cost(more, groups) > self.limit:
                    break
                counts = more
        return _some(counts)

    def _less(self, group: ChannelGroup, removed: int) -> int:
        """Return how many are removed when one multiple less of ``group`` is kept."""
        multiple = self.budget.round_to
        return group.channels - (group.channels - removed - 1) // multiple * multiple

    def _cost(self, counts: Mapping[str, int], groups: Sequence[ChannelGroup]) -> int:
        """Return the cost without as many channels: which ones does not matter."""
        removals = [
            Removal(
                part.layer,
                part.is_output,
                part.indices[: len(part.indices) // group.channels * counts[group.name]],
            )
            for group in groups
            if counts.get(group.name)
            for part in group.parts
        ]
        return _COUNTS[self.kind](cut(self.model, removals), self.input_shape)


def _alike(groups: Sequence[ChannelGroup], _: Scores, rate: float, round_to: int) -> dict[str, int]:
    return _some({g.name: removable_channels(g.channels, rate, round_to=round_to) for g in groups})


def _competing(groups: Sequence[ChannelGroup], scores: Scores, rate: float, round_to: int) -> dict[str, int]:
    """Return how many of each group are among the ``rate`` least important channels of all groups."""
    known = {group.name: scores[group.name].detach().double().cpu() for group in groups}
    every = torch.cat(list(known.values())).sort().values
    threshold = every[min(len(every) - 1, int(rate * len(every)))] if rate < 1 else math.inf
    below = {name: int((score < threshold).sum()) for name, score in known.items()}
    most = {group.name: min(below[group.name], int(_CEILING * group.channels)) for group in groups}
    return _some(
        {g.name: removable_channels(g.channels, most[g.name] / g.channels, round_to=round_to) for g in groups}
    )


def _some(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
