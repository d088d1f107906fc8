"""The pages that are here to be measured, and how a browser gets at one."""

from __future__ import annotations

import contextlib
import fnmatch
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import DataError
from runtime.web.pages.corpus.fetching import site_folder
from runtime.web.pages.corpus.index import Index, load_index
from runtime.web.pages.corpus.own import OwnPage, read_own
from runtime.web.pages.server import Site, serve


@dataclass(frozen=True)
class CorpusPage:
    """A page that can be measured.

    Attributes:
        name: in tables and records.
        family: of pages from the same template.
        source: of the index, or ``own``.
        place: its address, or its path below ``site``.
        site: folder that is served as the root of its site; ``None``: it has an address.
        screens: that can be scrolled by; ``None``: nobody has looked.
    """

    name: str
    family: str
    source: str
    place: str
    site: Path | None
    screens: float | None

    @property
    def file(self) -> Path | None:
        """Return its main document, where that is a file."""
        return None if self.site is None else self.site / self.place


def corpus_folder() -> Path:
    """Return where pages are kept unless told otherwise: below ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "edgekit" / "web"


def find_pages(folder: Path, pattern: str = "*", index: Index | None = None) -> list[CorpusPage]:
    """Return the pages that are in the corpus folder, those of the index first.

    Args:
        folder: of the corpus.
        pattern: of the shell, that a page's name or family must fit.
        index: default: the one that edgekit has.

    Raises:
        DataError: none is there that fits.

    Example:
        >>> [page.name for page in find_pages(corpus_folder(), "uikit*")]   # doctest: +SKIP
        ['uikit/tests/card', ...]
    """
    index = load_index() if index is None else index
    here = [
        CorpusPage(page.name, page.family, page.source, page.path, site, page.screens)
        for page in index.pages
        if (site := site_folder(folder, index.source(page.source))) and (site / page.path).is_file()
    ]
    here += [_of_user(page) for page in read_own(folder)]
    fitting = [
        page
        for page in here
        if fnmatch.fnmatchcase(page.name, pattern) or fnmatch.fnmatchcase(page.family, pattern)
    ]
    if not fitting:
        wanted = "" if pattern == "*" else f" that fits {pattern!r}, of {len(here)}"
        raise DataError(
            f"no page{wanted} is in {folder}; fetch some with edgekit web corpus fetch, or see corpus list"
        )
    return fitting


@contextlib.contextmanager
def opened(pages: Iterable[CorpusPage]) -> Iterator[dict[str, str]]:
    """Yield the address of each page by its name; saved ones are served on loopback until the block ends.

    Each site has a port of its own, so that addresses that begin with a slash mean what they did.

    Raises:
        WebError: a site's folder is gone.
    """
    addresses: dict[str, str] = {}
    sites: dict[Path, Site] = {}
    with contextlib.ExitStack() as stack:
        for page in pages:
            if page.site is None:
                addresses[page.name] = page.place
                continue
            if page.site not in sites:
                sites[page.site] = stack.enter_context(serve(page.site))
            addresses[page.name] = sites[page.site].url(page.place)
        yield addresses


def _of_user(page: OwnPage) -> CorpusPage:
    if page.is_address:
        return CorpusPage(page.name, page.family, "own", page.place, None, page.screens)
    path = Path(page.place)
    return CorpusPage(page.name, page.family, "own", path.name, path.parent, page.screens)
