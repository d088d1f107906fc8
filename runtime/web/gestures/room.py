"""What there is to scroll on a page, and where to touch it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from runtime.errors import PageError
from runtime.web.browser.isolated import IsolatedWorld
from runtime.web.browser.page import Page

_LIMIT_MS = 5000.0
# What lies under the middle of the screen decides what a finger there scrolls: the nearest ancestor that can,
# else the document.
_LOOK = """(() => {
  const view = window.visualViewport, scale = view.scale;
  const x = view.offsetLeft + view.width / 2, y = view.offsetTop + view.height / 2;
  const root = document.scrollingElement || document.documentElement;
  const rolls = e => /(auto|scroll|overlay)/.test(getComputedStyle(e).overflowY)
    && e.scrollHeight > e.clientHeight + 1;
  let found = Document.prototype.elementFromPoint.call(document, x, y);
  while (found && found !== root && found !== document.body && !rolls(found)) found = found.parentElement;
  const inner = found && found !== root && found !== document.body ? found : null;
  const room = inner ? inner.scrollHeight - inner.clientHeight : root.scrollHeight - view.height;
  const name = inner ? inner.tagName.toLowerCase() + (inner.id ? '#' + inner.id : '') : null;
  return {width_px: view.width * scale, height_px: view.height * scale, scale: scale,
          room_px: Math.max(0, room * scale), scroller: name && name.slice(0, 80)};
})()"""
_TO_TOP = """(() => {
  const all = Document.prototype.querySelectorAll.call(document, '*');
  for (const e of all) if (e.scrollTop > 0) e.scrollTop = 0;
  window.scrollTo({top: 0, left: 0, behavior: 'instant'});
})()"""


@dataclass(frozen=True)
class Room:
    """Of a page at its top.

    Attributes:
        width_px, height_px: of the screen, in CSS pixels of an unzoomed page.
        scale: screen pixels per CSS pixel of the page as laid out: 0.42 where it is made for a desk.
        room_px: that can be scrolled, in pixels of the screen.
        scroller: the element that is scrolled where that is not the document.
    """

    width_px: float
    height_px: float
    scale: float
    room_px: float
    scroller: str | None = None


def look(page: Page) -> Room:
    """Return what there is to scroll on ``page``.

    Raises:
        PageError: the page does not tell.
    """
    try:
        return msgspec.convert(IsolatedWorld(page).run(_LOOK, _LIMIT_MS), Room)
    except msgspec.ValidationError as err:
        raise PageError(f"the page does not say how large it is ({err}); leave it out") from err


def to_top(page: Page, initial_scale: float = 1.0) -> None:
    """Bring ``page`` back to how it was when it had loaded: at its top, not zoomed."""
    page.call("Emulation.setPageScaleFactor", pageScaleFactor=initial_scale)
    IsolatedWorld(page).run(_TO_TOP, _LIMIT_MS)
