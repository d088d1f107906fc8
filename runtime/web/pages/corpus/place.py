"""A page that a user named: opened for a browser, and called alike in every record.

``edgekit web bench``, ``profile`` and ``govern`` record a page under one name, so that what one of them
learnt is found by the others: its name in the corpus, else its path as the user gave it, else its address
without the protocol. A page of another host keeps its name where a port of its own served it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urldefrag

from runtime.errors import DataError
from runtime.web.pages.corpus.own import is_address, read_own
from runtime.web.pages.corpus.pages import CorpusPage, corpus_folder, find_pages
from runtime.web.pages.server import Site, serve


@dataclass(frozen=True)
class OpenedPlace:
    """A page at an address, and what it and its neighbours are called.

    Attributes:
        url: of the page.
        site: that was served for it; ``None``: it has an address.
        folder: of the site, as the user gave it.
        known: names of pages, by path below the site or by address.
    """

    url: str
    site: Site | None = None
    folder: Path = Path()
    known: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_remote(self) -> bool:
        """Whether it comes from another host, or from a server that is not ours."""
        return self.site is None and is_address(self.url)

    @property
    def name(self) -> str:
        """Name of the page in records."""
        return self.name_of(self.url)

    def name_of(self, url: str) -> str:
        """Return the name in records of a page that the browser shows, by its address.

        Example:
            >>> OpenedPlace("https://example.org/").name_of("https://example.org/about#top")
            'example.org/about'
        """
        place = urldefrag(url).url
        if self.site is not None and place.startswith(self.site.url()):
            path = unquote(place.removeprefix(self.site.url()))
            return self.known.get(path) or str(self.folder / path)
        if place in self.known:
            return self.known[place]
        return place.partition("://")[2] if is_address(place) else place


@contextlib.contextmanager
def opened_place(place: str) -> Iterator[OpenedPlace]:
    """Yield the page that a user named.

    Args:
        place: an address, the path of a saved page, which is served with its folder, or the name of a page
            in the corpus.

    Raises:
        DataError: there is no such page.

    Example:
        >>> with opened_place("uikit/tests/card") as page:                 # doctest: +SKIP
        ...     page.url, page.name
        ('http://127.0.0.1:41233/tests/card.html', 'uikit/tests/card')
    """
    if is_address(place) or place.startswith(("about:", "data:")):
        yield OpenedPlace(place, known=_own_names())
        return
    path = Path(place)
    if path.is_file():
        with serve(path.parent) as site:
            yield OpenedPlace(site.url(path.name), site, path.parent)
        return
    page = _corpus_page(place)
    if page.site is None:
        yield OpenedPlace(page.place, known=_own_names())
        return
    beside = {each.place: each.name for each in find_pages(corpus_folder()) if each.site == page.site}
    with serve(page.site) as site:
        yield OpenedPlace(site.url(page.place), site, page.site, beside)


def _own_names() -> dict[str, str]:
    """Return what pages that the user added to the corpus are called, by their addresses."""
    return {page.place: page.name for page in read_own(corpus_folder()) if page.is_address}


def _corpus_page(name: str) -> CorpusPage:
    with contextlib.suppress(DataError):  # of an empty corpus
        for page in find_pages(corpus_folder()):
            if page.name == name:
                return page
    raise DataError(
        f"{name} is no address, no file and no page of the corpus; give http://..., the path of a saved "
        "page, or a name of edgekit web corpus list"
    )
