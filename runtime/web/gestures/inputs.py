"""What a user does to a live page: wheel and touch events, told by passive listeners.

They run in a world of their own, out of the page's sight, and tell through a binding of the protocol, 3-8 ms
after the event; they cost 0.02 of a core (Chromium 150, 60 events a second). Passive, so that no scroll waits
for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from runtime.bundle.decoding import decode_json
from runtime.errors import WebError
from runtime.web.browser.connection import Event
from runtime.web.browser.page import Page

_NAME = "edgekitInput"
_WORLD = "edgekit"
_MOST_BYTES = 1024  # of a message: what a page says is not believed
# Type; ms of the page's clock; a place or a way; fingers. How fast two fingers part is not told: while they
# zoom, a page counts in pixels that grow as fast.
_SCRIPT = """
(() => {
  if (globalThis.edgekitWatches) return;
  globalThis.edgekitWatches = true;
  const say = (...words) => globalThis.edgekitInput && edgekitInput(JSON.stringify(words));
  const how = {passive: true, capture: true};
  const unit = event => event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? innerHeight : 1;
  addEventListener('wheel', event => say('wheel', event.timeStamp,
    unit(event) * event.deltaX, unit(event) * event.deltaY, event.ctrlKey ? 2 : 1), how);
  for (const type of ['touchstart', 'touchmove', 'touchend', 'touchcancel'])
    addEventListener(type, event => {
      const finger = event.touches[0], scale = visualViewport.scale;
      say(type, event.timeStamp, scale * (finger?.clientX ?? 0), scale * (finger?.clientY ?? 0),
        event.touches.length);
    }, how);
  addEventListener('scroll', event => {
    const scroller = event.target, scale = visualViewport.scale;
    const whole = scroller === document;
    say('scroll', event.timeStamp, scale * (whole ? scrollX : scroller.scrollLeft),
      scale * (whole ? scrollY : scroller.scrollTop), 0);
  }, how);
})();
"""


@dataclass(frozen=True)
class Input:
    """One event.

    Attributes:
        type: ``wheel``, ``touchstart``, ``touchmove``, ``touchend``, ``touchcancel`` or ``scroll``.
        at_ms: when, by the page's clock.
        x, y: of a wheel how far, of a scroll where to, else where the first finger is, in pixels of the
            screen as CSS counts them.
        fingers: on the screen; of a wheel two, where the event zooms.
    """

    type: str
    at_ms: float
    x: float
    y: float
    fingers: int


@dataclass(frozen=True)
class Recording:
    """Inputs of a user, in the order in which they came; ``name`` is that of its file."""

    name: str
    inputs: tuple[Input, ...]


def watch_inputs(page: Page, take: Callable[[Input], None]) -> Callable[[], None]:
    """Have ``take`` called with each input of ``page``, also after it navigates; return what ends that.

    It is called in the connection's thread, and must not call back.

    Raises:
        WebError: the browser refuses.
    """

    # Where a screen's scale is emulated, a page sees the way of a wheel divided by it (Chromium 156).
    scale = 1.0 if page.viewport is None else page.viewport.scale

    def note(event: Event) -> None:
        if event.get("name") != _NAME or (found := parse_input(str(event.get("payload")))) is None:
            return
        is_wheel = found.type == "wheel"
        take(replace(found, x=scale * found.x, y=scale * found.y) if is_wheel else found)

    unlisten = page.listen("Runtime.bindingCalled", note)
    page.call("Runtime.enable")
    page.call("Runtime.addBinding", name=_NAME, executionContextName=_WORLD)
    script = page.call("Page.addScriptToEvaluateOnNewDocument", source=_SCRIPT, worldName=_WORLD)
    frame = page.call("Page.getFrameTree")["frameTree"]["frame"]["id"]  # the document that is there already
    world = page.call("Page.createIsolatedWorld", frameId=frame, worldName=_WORLD)["executionContextId"]
    page.call("Runtime.evaluate", expression=_SCRIPT, contextId=world)

    def end() -> None:
        unlisten()
        page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])
        page.call("Runtime.removeBinding", name=_NAME)

    return end


def parse_input(payload: str) -> Input | None:
    """Return the input that a page tells of, ``None`` where it is none: a page may say anything.

    Example:
        >>> parse_input('["wheel", 12.5, 0, 100, 1]')
        Input(type='wheel', at_ms=12.5, x=0.0, y=100.0, fingers=1)
        >>> parse_input('["wheel", null]')
    """
    try:
        words: tuple[str, float, float, float, int] = decode_json(
            payload.encode(),
            tuple[str, float, float, float, int],
            where="an input event",
            advice="reload the page",
            error=WebError,
            most_bytes=_MOST_BYTES,
        )
        return Input(*words)
    except (WebError, msgspec.ValidationError):
        return None
