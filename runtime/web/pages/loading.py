"""A page in a browser, loaded and come to rest."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from runtime.web.browser.connection import Connection
from runtime.web.browser.page import Page, open_page

# Scripts that build the page after its load event.
_SETTLE = "new Promise((done) => setTimeout(done, 300))"


@contextlib.contextmanager
def loaded(connection: Connection, url: str) -> Iterator[Page]:
    """Yield a page of its own that shows ``url`` on a phone's screen; it is closed in the end.

    Raises:
        PageError: it does not load.
        WebError: it hangs, or the browser is gone.
    """
    with open_page(connection) as page:
        page.navigate(url)
        page.evaluate(_SETTLE)
        yield page
