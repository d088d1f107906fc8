"""Pages that the user adds to the corpus: addresses, and pages saved on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from runtime.bundle import write_atomic
from runtime.bundle.decoding import decode_json
from runtime.bundle.staging import locked
from runtime.errors import DataError
from runtime.visible import one_line

_FILE = "own.json"
_ADVICE = "remove it and add the pages again"
_ENDINGS = (".html", ".htm", ".xhtml", ".php")


@dataclass(frozen=True)
class OwnPage:
    """A page that the user added.

    Attributes:
        place: its address, or the path of its file.
        family: of pages that look alike: the host, or the folder that was added.
        screens: that can be scrolled by, ``None`` until ``edgekit web corpus check`` has looked.
    """

    place: str
    family: str
    screens: float | None = None

    @property
    def is_address(self) -> bool:
        return is_address(self.place)

    @property
    def name(self) -> str:
        """Return the page's name in tables and records."""
        if not self.is_address:
            path = Path(self.place)
            return f"own/{self.family}/{path.stem}"
        parts = urlsplit(self.place)
        return f"own/{parts.netloc}{parts.path}".rstrip("/") + (f"?{parts.query}" if parts.query else "")


def is_address(text: str) -> bool:
    """Return whether ``text`` is the address of a page and no path."""
    return urlsplit(text).scheme in ("http", "https")


def read_own(folder: Path) -> list[OwnPage]:
    """Return the pages that were added to the corpus in ``folder``, in their order.

    Raises:
        DataError: what was kept is damaged.
    """
    path = folder / _FILE
    if not path.is_file():
        return []
    return decode_json(path.read_bytes(), list[OwnPage], where=str(path), advice=_ADVICE)


def write_own(folder: Path, pages: Sequence[OwnPage]) -> None:
    """Keep ``pages``, instead of those that were there."""
    write_atomic(folder / _FILE, msgspec.json.format(msgspec.json.encode(pages)))


def add_own(folder: Path, places: Iterable[str]) -> list[OwnPage]:
    """Add addresses, saved pages or folders of them, and return those that are new.

    Files stay where they are. A page that was added before is not added again.

    Args:
        folder: the corpus folder; made if it is not there.
        places: addresses (http, https) and paths.

    Raises:
        DataError: a path is not there, or is a folder without pages; nothing is added.
        OSError: the folder cannot be written.
    """
    asked = [page for place in places for page in _pages_at(place)]
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        kept = {page.place: page for page in read_own(folder)}
        new = {page.place: page for page in asked if page.place not in kept}
        write_own(folder, [*kept.values(), *new.values()])
    return list(new.values())


def read_addresses(path: Path) -> list[str]:
    """Return the addresses in a file, one a line; empty lines and those that begin with ``#`` do not count.

    Raises:
        DataError: it cannot be read, or a line is no address.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as err:
        raise DataError(f"{path} cannot be read ({one_line(err)}); give a text file of addresses") from err
    found = []
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        if not is_address(line):
            raise DataError(
                f"{path}, line {number}: {one_line(line)[:80]!r} is no address; begin it with http:// or https://"
            )
        found.append(line)
    return found


def _pages_at(place: str) -> list[OwnPage]:
    if is_address(place):
        return [OwnPage(place, urlsplit(place).netloc)]
    path = Path(place).resolve()
    if path.is_dir():
        found = sorted(each for each in path.rglob("*") if each.suffix.lower() in _ENDINGS and each.is_file())
        if not found:
            raise DataError(
                f"{path} has no pages; give a folder with files that end in {', '.join(_ENDINGS)}"
            )
        return [OwnPage(str(each), path.name) for each in found]
    if not path.is_file():
        raise DataError(f"{one_line(place)} is not there; give an address, a saved page or a folder of them")
    return [OwnPage(str(path), path.parent.name)]
