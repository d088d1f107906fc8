"""How far the clock of a browser's machine is from this one's, asked of a page at rest."""

from __future__ import annotations

import time

from runtime.errors import WebError
from runtime.web.browser.page import Page

_TRIES = 8  # of which the quickest answer says most: over USB one takes 2-5 ms


def clock_ahead_s(page: Page) -> float:
    """Return by how much the monotonic clock of the page's machine is ahead of this one's.

    Traces and Android's compositor count on that clock. It is known to half of the quickest answer's time.

    Raises:
        WebError: the browser does not tell its time, or is gone.
    """
    page.call("Performance.enable")
    quickest_s, ahead_s = float("inf"), 0.0
    for _ in range(_TRIES):
        asked_s = time.monotonic()
        metrics = page.call("Performance.getMetrics")["metrics"]
        took_s = time.monotonic() - asked_s
        theirs_s = next((each["value"] for each in metrics if each["name"] == "Timestamp"), None)
        if theirs_s is None:
            raise WebError("the browser does not tell its time; use Chrome 120 or newer")
        if took_s < quickest_s:
            quickest_s, ahead_s = took_s, float(theirs_s) - (asked_s + took_s / 2)
    return ahead_s
