"""Listeners that a gesture will wake, and those that keep the compositor waiting for them."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.web.browser.connection import Event
from runtime.web.browser.page import Page

KINDS = {
    "wheel": ("wheel", "mousewheel"),
    "touch": ("touchstart", "touchmove", "touchend", "touchcancel"),
    "scroll": ("scroll", "scrollend"),
    "pointer": ("pointermove", "pointerdown", "pointerover", "pointerenter", "pointerleave", "pointerout"),
    "mouse": ("mousemove", "mouseover", "mouseenter", "mouseleave", "mouseout"),
    "click": ("click", "mousedown", "mouseup"),
    "resize": ("resize",),
}
_HOLDING = ("wheel", "touch")  # only these can stop a scroll that the compositor does by itself
_HANDLES = "edgekit-listeners"
_MOST_ELEMENTS = 100_000  # beyond these only the document's upper levels are asked
_UPPER_LEVELS = 4


def read_listeners(page: Page, limit_ms: float, elements: float) -> dict[str, float]:
    """Return how many listeners of each kind the page has, by the names of the group.

    Args:
        page: loaded.
        limit_ms: to wait for the browser's answers.
        elements: of the page.
    """
    counts = dict.fromkeys(KINDS, 0.0) | {"all": 0.0} | {f"{kind}_blocking": 0.0 for kind in _HOLDING}
    for _, listener in all_listeners(page, limit_ms / 1e3, elements):
        counts["all"] += 1
        for kind, types in KINDS.items():
            if listener["type"] in types:
                counts[kind] += 1
                if kind in _HOLDING and not listener["passive"]:
                    counts[f"{kind}_blocking"] += 1
    return counts


def all_listeners(page: Page, limit_s: float, elements: float) -> Iterator[tuple[str, Event]]:
    """Yield ``window`` or ``document`` and each listener on it, or on an element of it."""
    # Neither name can be taken by a page.
    for name, depth in (
        ("window", 1),
        ("document", -1 if elements < _MOST_ELEMENTS else _UPPER_LEVELS),
    ):
        thing = page.call("Runtime.evaluate", limit_s, expression=name, objectGroup=_HANDLES)["result"]
        found = page.call(
            "DOMDebugger.getEventListeners", limit_s, objectId=thing["objectId"], depth=depth, pierce=True
        )
        yield from ((name, listener) for listener in found["listeners"])
    page.call("Runtime.releaseObjectGroup", limit_s, objectGroup=_HANDLES)
