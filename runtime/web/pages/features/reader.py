"""Read a page's features, as many as a budget of time allows."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from runtime.errors import WebError
from runtime.visible import one_line
from runtime.web.browser.isolated import IsolatedWorld
from runtime.web.browser.page import Page
from runtime.web.gestures.room import Room, look
from runtime.web.pages.features.groups import GROUPS, TAGS, Group
from runtime.web.pages.features.listeners import read_listeners
from runtime.web.pages.features.metrics import read_metrics
from runtime.web.pages.features.page_features import PageFeatures, Painted
from runtime.web.pages.features.probe import probe

_HERE = Path(__file__).parent
BASE_NAMES = ("screens",)  # read in any case
FEATURE_NAMES = (*BASE_NAMES, *(name for group in GROUPS for name in group.names))
_MOST_MS = 1000.0  # for a group, where no budget says less
_LEAST_MS = 1.0
_ANSWER_MS = 250.0  # to wait for what the browser counts itself, and cannot be cut short
_MOST_TIMES = 3.0  # of what a group is expected to take: the others are to have their share of a budget
_SIZE = "byTag('*').length"


def read_features(
    page: Page, budget_ms: float | None = None, screens: int = 3, slowness: float = 1.0
) -> PageFeatures:
    """Return what can be read off a loaded page within a budget.

    Groups are read in the order of what they are worth per ms (see ``GROUPS``); one that is not expected to
    fit into the rest of the budget is left out, one that takes longer is cut short, and both are said.

    Args:
        page: loaded, scrolled to where the gesture will begin.
        budget_ms: for reading; ``None``: every group, each for a second at most.
        screens: how far down from there the page counts as seen.
        slowness: of this machine against the one of the table of costs, as an earlier reading found.

    Raises:
        ValueError: the budget or the screens are none.
        PageError: the page does not let itself be read at all.

    Example:
        >>> read_features(page, budget_ms=100).values["paint_shadow_area"]  # doctest: +SKIP
        0.41
    """
    if budget_ms is not None and not budget_ms > 0:
        raise ValueError(f"budget_ms is {budget_ms}; it must be above 0, or None for all groups")
    if screens < 1:
        raise ValueError(f"screens is {screens}; it must be 1 or more")
    began_s = time.monotonic()
    world = IsolatedWorld(page, _script("reading"))
    reading = _Reading(page, world, look(page), screens, float(world.run(_SIZE, _MOST_MS)))
    for group in by_worth(reading.elements):
        left_ms = _MOST_MS if budget_ms is None else budget_ms - (time.monotonic() - began_s) * 1e3
        expected_ms = group.expected_ms(reading.elements) * slowness
        if budget_ms is not None and expected_ms > left_ms:
            reading.leave_out(
                group, f"is expected to take {expected_ms:.0f} ms, {max(left_ms, 0):.0f} are left"
            )
        else:
            share_ms = _MOST_MS if budget_ms is None else _MOST_TIMES * expected_ms
            reading.read(group, max(min(left_ms, share_ms), _LEAST_MS))
    return reading.result(str(world.run("location.href", _MOST_MS)))


def by_worth(elements: float) -> Sequence[Group]:
    """Return the groups in the order of what a ms of reading them is worth on a page of so many elements."""
    return sorted(GROUPS, key=lambda group: group.worth / group.expected_ms(elements), reverse=True)


@dataclass
class _Reading:
    """What is known so far, and what it took."""

    page: Page
    world: IsolatedWorld
    room: Room
    screens: int
    elements: float
    values: dict[str, float] = field(default_factory=dict)
    cost_ms: dict[str, float] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    painted: tuple[Painted, ...] = ()

    def read(self, group: Group, limit_ms: float) -> None:
        began_s = time.monotonic()
        try:
            found = self._readers().get(group.name, lambda limit_ms: self._script(group, limit_ms))(limit_ms)
        except WebError as err:
            self.page.check()  # a page that is gone ends the reading
            self.leave_out(group, f"failed: {one_line(err)}")
            return
        self.cost_ms[group.name] = round((time.monotonic() - began_s) * 1e3, 2)
        self.values.update({f"{group.name}_{name}": float(value) for name, value in found.items()})

    def leave_out(self, group: Group, why: str) -> None:
        self.left_out.append(group.name)
        self.notes.append(f"{group.name} {why}")

    def result(self, url: str) -> PageFeatures:
        expected = {group.name: group.expected_ms(self.elements) for group in GROUPS}
        total_ms = sum(expected[name] for name in self.cost_ms)
        return PageFeatures(
            url=url,
            values={"screens": round(self.room.room_px / self.room.height_px, 3), **self.values},
            cost_ms=self.cost_ms,
            left_out=tuple(self.left_out),
            notes=tuple(self.notes),
            scroller=self.room.scroller or "document",
            painted=self.painted,
            slowness=round(sum(self.cost_ms.values()) / total_ms, 3) if total_ms else 1.0,
        )

    def _readers(self) -> dict[str, Callable[[float], dict[str, float]]]:
        return {
            "metrics": self._metrics,
            "listeners": self._listeners,
            "probe": lambda limit_ms: probe(self.page, self.room),
        }

    def _metrics(self, limit_ms: float) -> dict[str, float]:
        return read_metrics(self.page, max(limit_ms, _ANSWER_MS)).state

    def _listeners(self, limit_ms: float) -> dict[str, float]:
        return read_listeners(self.page, max(limit_ms, _ANSWER_MS), self.elements)

    def _script(self, group: Group, limit_ms: float) -> dict[str, float]:
        options: dict[str, Any] = {"limitMs": limit_ms, "screens": self.screens, "tags": TAGS}
        text = f"({_script(group.name)})({msgspec.json.encode(options).decode()})"
        found = self.world.run(text, limit_ms * 2 + 100)
        if found["share"] != 1:
            share = "a part" if found["share"] is None else f"{found['share']:.0%}"
            self.notes.append(f"{group.name} was cut short after {limit_ms:.0f} ms: {share} was read")
        if "painted" in found:
            told = msgspec.convert(found["painted"], tuple[Painted, ...])
            self.painted = tuple(replace(each, owner=one_line(each.owner)) for each in told)
        return dict(found["values"])


@functools.cache
def _script(name: str) -> str:
    """Return an expression, or definitions, of JavaScript that lie beside this file."""
    return (_HERE / f"{name}.js").read_text(encoding="utf-8").strip().removesuffix(";")
