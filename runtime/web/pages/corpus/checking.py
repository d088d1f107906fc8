"""Measure in a real browser how far pages can be scrolled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runtime.bundle.staging import locked
from runtime.errors import WebError
from runtime.web.browser.chromium import Browser, Launch
from runtime.web.browser.connection import Connection
from runtime.web.gestures.room import Room, look
from runtime.web.pages.corpus.index import LEAST_SCREENS
from runtime.web.pages.corpus.own import read_own, write_own
from runtime.web.pages.corpus.pages import CorpusPage, find_pages, opened
from runtime.web.pages.loading import loaded

_CHANGED = 0.1  # of the screens: fonts differ between machines


@dataclass(frozen=True)
class Checked:
    """What a page is like today.

    Attributes:
        page: as it is known.
        room: what there is to scroll; ``None``: the page did not load.
        fault: why it is not to be measured, ``""``: it is.
    """

    page: CorpusPage
    room: Room | None
    fault: str

    @property
    def screens(self) -> float | None:
        """Return how many screens can be scrolled by, beyond the one that is seen at first."""
        return None if self.room is None else screens_of(self.room)


def screens_of(room: Room) -> float:
    """Return how many screens can be scrolled by."""
    return room.room_px / room.height_px


def check_corpus(
    folder: Path,
    pattern: str = "*",
    launch: Launch | None = None,
    on_message: Callable[[str], None] = lambda text: None,
) -> list[Checked]:
    """Open pages of the corpus in a browser and measure them; keep what is found of the user's own.

    Args:
        folder: of the corpus.
        pattern: of the shell, that a page's name or family must fit.
        launch: of the browser; default: this machine's.
        on_message: called with each page.

    Raises:
        DataError: no page fits.
        WebError: there is no browser, or it ended.
    """
    pages = find_pages(folder, pattern)
    with Browser(launch or Launch()) as browser, Connection(browser.endpoint) as connection:
        results = check_pages(connection, pages, on_message)
    _keep(folder, results)
    return results


def check_pages(
    connection: Connection,
    pages: Sequence[CorpusPage],
    on_message: Callable[[str], None] = lambda text: None,
) -> list[Checked]:
    """Open each page on a phone's screen and return how far it can be scrolled.

    Raises:
        WebError: the browser ended.
    """
    results = []
    for number, page in enumerate(pages, 1):
        on_message(f"{number} of {len(pages)}: {page.name}")
        try:
            room = measure(connection, page)
        except WebError as err:
            connection.call("Browser.getVersion")  # raises if it is not the page's fault
            results.append(Checked(page, None, str(err)))
        else:
            results.append(Checked(page, room, _fault(page, screens_of(room))))
    return results


def measure(connection: Connection, page: CorpusPage) -> Room:
    """Return what there is to scroll on ``page``.

    Raises:
        WebError: it does not load, or hangs.
    """
    with opened([page]) as addresses, loaded(connection, addresses[page.name]) as shown:
        return look(shown)


def _fault(page: CorpusPage, screens: float) -> str:
    if screens < LEAST_SCREENS:
        return f"less than {LEAST_SCREENS:g} screens to scroll"
    if page.screens is not None and abs(screens / page.screens - 1) > _CHANGED:
        return f"had {page.screens:.1f} screens"
    return ""


def _keep(folder: Path, results: Sequence[Checked]) -> None:
    found = {
        result.page.name: round(result.screens, 2)
        for result in results
        if result.page.source == "own" and result.screens is not None
    }
    if found:
        with locked(folder):
            write_own(
                folder,
                [replace(page, screens=found.get(page.name, page.screens)) for page in read_own(folder)],
            )
