"""A page that somebody uses: of a browser that runs already, or of one that is started for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from runtime.errors import PageError
from runtime.web.browser.attach import endpoint_of
from runtime.web.browser.chromium import Browser, Launch
from runtime.web.browser.connection import Connection
from runtime.web.browser.page import PHONE, Page, open_page, pages_of


@contextlib.contextmanager
def live_page(url: str | None, cdp: str | None, launch: Launch) -> Iterator[Page]:
    """Yield the page to look at.

    Args:
        url: to open; ``None``: the page that the browser shows.
        cdp: address of a browser that runs already; ``None`` starts one.
        launch: how; one without a window is laid out as a phone.

    Raises:
        WebError: there is no browser.
        PageError: it has no page open, or the page cannot be loaded.
    """
    with contextlib.ExitStack() as stack:
        if cdp is None:
            connection = stack.enter_context(Connection(stack.enter_context(Browser(launch)).endpoint))
            viewport = PHONE if launch.is_headless else None
        else:
            connection, viewport = stack.enter_context(Connection(endpoint_of(cdp))), None
        if url is not None:
            page = stack.enter_context(open_page(connection, viewport))
            page.navigate(url)
        else:
            pages = pages_of(connection)
            if not pages:
                raise PageError("the browser has no page open; open one, or give a URL")
            page = stack.enter_context(Page(connection, pages[0]["targetId"], None, is_ours=False))
        yield page
