"""What a stress page is, and the list of the kinds of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Content:
    """What a kind puts into its page.

    Attributes:
        style: CSS, after that of the page's cards.
        cards: HTML of each card; the page's own text where it is empty.
        body: HTML before the cards.
        script: JavaScript at the end.
        files: further files beside the page.
        scroller: the cards scroll in an element of their own, not with the document.
    """

    style: str = ""
    cards: tuple[str, ...] = ()
    body: str = ""
    script: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    scroller: bool = False


@dataclass(frozen=True)
class Kind:
    """One way to be expensive.

    Attributes:
        name: also of its pages' family.
        label: what is expensive.
        make: content for a strength: twice the strength is twice as many of what costs.
    """

    name: str
    label: str
    make: Callable[[float], Content]


@dataclass(frozen=True)
class StressPage:
    """A page made up to be expensive.

    Attributes:
        name: of its file, without the ending: the kind and the strength.
        kind: name of its kind.
        label: what is expensive.
        strength: how much of it.
        files: the page and what it loads, by name.
    """

    name: str
    kind: str
    label: str
    strength: float
    files: dict[str, bytes]


KINDS: dict[str, Kind] = {}
CARDS = 36  # of 320 px: twelve screens of a phone, more than a gesture of five seconds shows


def stress_kind(name: str, label: str) -> Callable[[Callable[[float], Content]], Callable[[float], Content]]:
    """Return a decorator that lists a function as the kind called ``name``."""

    def store(make: Callable[[float], Content]) -> Callable[[float], Content]:
        if name in KINDS:
            raise ValueError(f"stress kind {name!r} is listed twice; choose another name")
        KINDS[name] = Kind(name, label, make)
        return make

    return store


def times(base: float, strength: float) -> int:
    """Return how many of something a strength asks for: one at least."""
    return max(1, round(base * strength))
