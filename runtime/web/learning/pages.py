"""What is known of pages beside their records: their features and which were made alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from runtime.bundle.decoding import MOST_BYTES, decode_json, read_regular
from runtime.errors import DataError
from runtime.web.pages.features.page_features import Listener, Painted

PAGES_FILE = "pages.jsonl"  # beside records
_ADVICE = "write it again: edgekit web profile"


@dataclass(frozen=True)
class KnownPage:
    """A page, one line of a file of pages.

    Attributes:
        page: its name, as records have it.
        family: of pages from the same template; ``None``: told by the name.
        features: by name, see ``runtime.web.pages.features``; empty where nobody read them.
        painted: whose boxes are expensive to draw.
        listeners: functions that gestures wake, the most expensive first.
    """

    page: str
    family: str | None = None
    features: dict[str, float] = field(default_factory=dict)
    painted: tuple[Painted, ...] = ()
    listeners: tuple[Listener, ...] = ()


def read_pages(paths: Iterable[Path]) -> dict[str, KnownPage]:
    """Return what files of pages (JSON Lines of ``KnownPage``) say, by name; later lines win.

    Raises:
        DataError: a line is no page.
        OSError: a file cannot be read.
    """
    known: dict[str, KnownPage] = {}
    for path in paths:
        data = read_regular(path, advice=_ADVICE, error=DataError, most_bytes=MOST_BYTES)
        for number, line in enumerate(data.split(b"\n"), start=1):
            if line.strip():
                page: KnownPage = decode_json(
                    line, KnownPage, where=f"{path} line {number} is no page", advice=_ADVICE
                )
                known[page.page] = page
    return known


def write_pages(path: Path, pages: Iterable[KnownPage]) -> None:
    """Write ``pages``, a line each."""
    path.write_bytes(b"".join(msgspec.json.encode(page) + b"\n" for page in pages))


def append_page(path: Path, page: KnownPage) -> None:
    """Add a line to a file of pages; a later line about the same page wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as stream:
        stream.write(msgspec.json.encode(page) + b"\n")


def family_of(page: str, known: Mapping[str, KnownPage]) -> str:
    """Return the family of a page: as a file says, else the folder of its name, else the name itself.

    Example:
        >>> family_of("uikit/tests/card", {})
        'uikit/tests'
    """
    if page in known and known[page].family is not None:
        return str(known[page].family)
    folder, _, _ = page.rpartition("/")
    return folder or page
