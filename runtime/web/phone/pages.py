"""Pages on a phone: a tab of our own in Chrome, the one page that an app's web view has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from runtime.errors import PageError, WebError
from runtime.web.browser.attach import APP_SOCKETS
from runtime.web.browser.connection import Connection
from runtime.web.browser.page import Page, open_page, pages_of


def open_on_phone(connection: Connection, devtools: str | None) -> Page:
    """Open a page that shows on the phone as it is: its screen is real, nothing of it is emulated.

    Args:
        devtools: socket of the browser; an app's web view opens no pages, so its own is used.

    Raises:
        PageError: the app shows none.
        WebError: the browser refuses, or is gone.
    """
    if not _is_app(devtools):
        page = open_page(connection, None, has_user=False)
    elif shown := pages_of(connection):
        page = Page(connection, shown[0]["targetId"], None, is_ours=False, has_user=False)
    else:
        raise PageError("the app shows no web page; open one in it")
    page.call("Page.bringToFront")
    return page


@contextlib.contextmanager
def leaving_as_found(connection: Connection, devtools: str | None) -> Iterator[None]:
    """Have an app's web view show what it showed before once the block is left."""
    shown = pages_of(connection) if _is_app(devtools) else []
    try:
        yield
    finally:
        for before in shown[:1]:
            with (
                contextlib.suppress(WebError),
                Page(connection, before["targetId"], None, is_ours=False) as page,
            ):
                page.call("Page.navigate", url=before["url"])


def _is_app(devtools: str | None) -> bool:
    return devtools is not None and devtools.startswith(APP_SOCKETS)
