"""A page that is measured: open, laid out, with its name, its processes and what there is to scroll."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from runtime.errors import WebError
from runtime.web.browser.connection import Connection
from runtime.web.browser.page import PHONE, Page, Viewport, open_page
from runtime.web.browser.processes import Drawing, find_processes
from runtime.web.gestures.room import Room, look

_SETTLE_S = 1.0  # after the load event, pages still lay out, fetch and draw


@dataclass(frozen=True)
class Subject:
    """A page under measurement.

    Attributes:
        name: in records.
        sha256: of its main document as it was loaded.
        drawing: the processes that draw it.
        browser: name and version.
    """

    name: str
    sha256: str
    page: Page
    room: Room
    drawing: Drawing
    browser: str

    def helpers_busy_s(self) -> float:
        """Return the CPU time so far of the browser's processes that do not draw the page, in seconds."""
        drawers = (self.drawing.renderer, self.drawing.gpu)
        return sum(_busy_s(pid) for pid in _family(self.drawing.gpu) if pid not in drawers)


def load(connection: Connection, url: str, name: str, viewport: Viewport = PHONE) -> Subject:
    """Open ``url`` on a page of its own and wait until it has settled.

    Raises:
        PageError: it cannot be loaded.
        WebError: the browser is gone, or runs elsewhere.
    """
    return settled(open_page(connection, viewport), url, name)


def settled(page: Page, url: str, name: str) -> Subject:
    """Load ``url`` into a page and wait until it has settled; where that fails, the page is closed.

    Raises:
        PageError: it cannot be loaded.
        WebError: the browser is gone, or runs elsewhere.
    """
    try:
        page.navigate(url)
        time.sleep(_SETTLE_S)
        # Its renderer is known only now: a navigation may have brought another one.
        return Subject(
            name,
            digest_of(page),
            page,
            look(page),
            find_processes(page),
            page.connection.call("Browser.getVersion")["product"],
        )
    except BaseException:
        page.close()
        raise


def digest_of(page: Page) -> str:
    """Return the sha256 of a page's main document as it was loaded."""
    return hashlib.sha256(_source(page).encode()).hexdigest()


def _source(page: Page) -> str:
    frame = page.call("Page.getFrameTree")["frameTree"]["frame"]
    try:
        return str(page.call("Page.getResourceContent", frameId=frame["id"], url=frame["url"])["content"])
    except WebError:  # a document that scripts made has no source
        return str(page.evaluate("document.documentElement.outerHTML"))


def _family(pid: int) -> Iterator[int]:
    """Yield the processes of the browser that ``pid`` belongs to."""
    try:
        first = psutil.Process(pid).parent() or psutil.Process(pid)
        yield first.pid
        yield from (child.pid for child in first.children(recursive=True))
    except psutil.NoSuchProcess:
        return


def _busy_s(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
