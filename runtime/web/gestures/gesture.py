"""A gesture of a user: what the fingers do, how fast, and how far."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runtime.web.gestures.inputs import Recording

KINDS = ("scroll", "fling", "pinch")
SOURCES = ("wheel", "touch")
# Typical speeds of users: a slow read, a search, a hurry; of fingers that pinch, half of those.
DEFAULT_SPEEDS = {"scroll": 1800.0, "fling": 3000.0, "pinch": 400.0}
# A wheel scrolls to the pixel. A touch pad's pinch begins when the browser likes, fingers' when they move.
DEFAULT_SOURCES = {"pinch": "touch"}
DEFAULT_FACTOR = 2.0
_MOST_PX_S = 20_000.0  # twenty screens a second: no finger is as fast
_MOST_FACTOR = 4.0  # Chrome zooms to five times at most, and pages start at different scales
_TEXT = re.compile(r"(?P<kind>[a-z]+)(:(?P<speed>[0-9.]+))?(x(?P<factor>[0-9.]+))?(@(?P<source>[a-z]+))?")


@dataclass(frozen=True)
class Gesture:
    """A scroll, a fling or a pinch, done again and again for as long as is measured.

    Attributes:
        kind: one of ``KINDS``.
        speed: of the finger over the screen in CSS pixels of an unzoomed page per second; of a pinch, of two
            fingers against each other.
        source: ``wheel``: a mouse's wheel or a touch pad; ``touch``: fingers on the screen.
        factor: that a pinch zooms by, and back; else 1.
        recorded: what a user really did, which is done in place of even movements.

    Raises:
        ValueError: no such gesture.

    Example:
        >>> Gesture("scroll", 1800.0).name, Gesture("pinch", 400.0, factor=2.0).name
        ('scroll-1800', 'pinch-400x2')
    """

    kind: str
    speed: float
    source: str = "wheel"
    factor: float = 1.0
    recorded: Recording | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.source not in SOURCES:
            raise ValueError(
                f"no gesture {self.kind!r} by {self.source!r}; there are {', '.join(KINDS)}, "
                f"by {' or '.join(SOURCES)}"
            )
        if not 0 < self.speed <= _MOST_PX_S:
            raise ValueError(f"the speed is {self.speed:g}; it must be above 0, at most {_MOST_PX_S:g} px/s")
        is_pinch = self.kind == "pinch"
        if not (1 < self.factor <= _MOST_FACTOR if is_pinch else self.factor == 1):
            raise ValueError(
                f"a {self.kind} by a factor of {self.factor:g}; a pinch zooms by above 1, at most "
                f"{_MOST_FACTOR:g}, and nothing else does"
            )

    @property
    def name(self) -> str:
        """Name in records: of a recording its own, else kind and speed, ``x`` factor, and ``-touch``."""
        if self.recorded is not None:
            return f"recorded-{self.recorded.name}"
        factor = f"x{self.factor:g}" if self.kind == "pinch" else ""
        return f"{self.kind}-{self.speed:g}{factor}{'-touch' if self.source == 'touch' else ''}"


def typical_gesture(kind: str, speed: float) -> Gesture:
    """Return the gesture of a kind that is measured unless another is asked for."""
    factor = DEFAULT_FACTOR if kind == "pinch" else 1.0
    return Gesture(kind, speed, DEFAULT_SOURCES.get(kind, "wheel"), factor)


def parse_gesture(text: str) -> Gesture:
    """Return the gesture of ``KIND[:SPEED][xFACTOR][@SOURCE]``.

    Raises:
        ValueError: it is none.

    Example:
        >>> parse_gesture("scroll:900@touch").name, parse_gesture("pinch").name
        ('scroll-900-touch', 'pinch-400x2-touch')
    """
    found = _TEXT.fullmatch(text)
    try:
        if found is None:
            raise ValueError(f"{text!r} is no gesture")
        kind = found["kind"]
        typical = typical_gesture(kind, float(found["speed"] or DEFAULT_SPEEDS.get(kind, 1.0)))
        return Gesture(
            kind, typical.speed, found["source"] or typical.source, float(found["factor"] or typical.factor)
        )
    except ValueError as err:
        raise ValueError(f"{err}; write for example scroll:1800, fling:3000@touch or pinch:400x2") from err
