"""Open one page in a browser of its own, and read it."""

from __future__ import annotations

from dataclasses import replace

from runtime.web.browser.chromium import Browser, Launch
from runtime.web.browser.connection import Connection
from runtime.web.pages.corpus.place import opened_place
from runtime.web.pages.features import PageFeatures, read_features
from runtime.web.pages.features.listener_costs import with_listeners
from runtime.web.pages.loading import loaded


def read_place(
    place: str, launch: Launch | None = None, budget_ms: float | None = None, screens: int = 3
) -> PageFeatures:
    """Return the features of a page, opened in a browser that is started for it.

    Without a budget it is also told what its listeners cost.

    Args:
        place: an address, or the path of a saved page or a name in the corpus; those reach no other host.
        launch: of the browser; default: this machine's.
        budget_ms, screens: as ``read_features`` takes them.

    Raises:
        DataError: there is no such page.
        WebError: there is no browser, or the page does not load.
        ValueError: as ``read_features``.

    Example:
        >>> read_place("saved/index.html").values["dom_elements"]           # doctest: +SKIP
        1604.0
    """
    with (
        opened_place(place) as opened,
        Browser(replace(launch or Launch(), only_loopback=not opened.is_remote)) as browser,
        Connection(browser.endpoint) as connection,
        loaded(connection, opened.url) as page,
    ):
        found = read_features(page, budget_ms, screens)
        return found if budget_ms is not None else with_listeners(page, found)
