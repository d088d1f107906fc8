"""Make the index of the corpus: which pages of the packages are worth measuring.

    python -m tests.benchmarks.web.corpus_index --from FOLDER_OF_ARCHIVES [--only SOURCE]

Opens pages of each package in the browser (at most ``--sample`` of a template family, evenly by name), keeps
those with at least two screens to scroll, and of these at most 20 of a family, evenly by length.
"""

from __future__ import annotations

import argparse
import fnmatch
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime.bundle import write_atomic
from runtime.bundle.digest import file_sha256
from runtime.bundle.staging import staging_folder
from runtime.web.browser.chromium import Browser, Launch
from runtime.web.browser.connection import Connection
from runtime.web.pages.corpus.checking import check_pages
from runtime.web.pages.corpus.index import (
    INDEX,
    LEAST_SCREENS,
    MOST_PER_FAMILY,
    Index,
    IndexedPage,
    Source,
    load_index,
)
from runtime.web.pages.corpus.pages import CorpusPage
from runtime.web.pages.corpus.unpacking import unpack_site


@dataclass(frozen=True)
class Package:
    """A package to look into.

    Attributes:
        client, package, version, archive, root: as in ``Source``.
        families: template families and the pattern of their pages' paths; a page is of the first that it
            fits. A name that ends in a dash goes on with the first word of the file's name.
    """

    client: str
    package: str
    version: str
    archive: str
    root: str
    families: dict[str, str]


def _npm(name: str, version: str, root: str, families: dict[str, str]) -> Package:
    archive = f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
    return Package("npm", name, version, archive, root, families)


def _deb(name: str, version: str, root: str, families: dict[str, str]) -> Package:
    return Package("apt", name, version, f"{name}_{version}_all.deb", root, families)


# Versions of Debian's are those of bookworm itself: its security archive keeps the last one only.
PACKAGES = {
    "tabler": _npm(
        "@tabler/preview",
        "1.2.0",
        "package/dist",
        {"tabler-marketing": "marketing/*.html", "tabler-dist": "*.html"},
    ),
    "jqm": _npm("jquery-mobile", "1.4.1", "package/dist", {"jqm-demos": "demos/*.html"}),
    "uikit": _npm("uikit", "3.25.29", "package", {"uikit-tests": "tests/*.html"}),
    "gentelella": _npm("gentelella", "4.2.0", "package/dist", {"gentelella": "production/*.html"}),
    "clean-blog": _npm("startbootstrap-clean-blog", "6.0.9", "package/dist", {"clean-blog": "*.html"}),
    "freelancer": _npm("startbootstrap-freelancer", "7.0.7", "package/dist", {"freelancer": "*.html"}),
    # Saved from many sites: pages of one site are a family.
    "news": Package(
        "pip",
        "newspaper4k",
        "0.9.6",
        "newspaper4k-0.9.6.tar.gz",
        "newspaper4k-0.9.6/tests/data/html",
        {"news-": "*.html"},
    ),
    "python": _deb(
        "python3.11-doc", "3.11.2-6+deb12u8", "usr/share/doc/python3.11/html", {"python-doc": "*.html"}
    ),
    "nodejs": _deb("nodejs-doc", "18.20.4+dfsg-1~deb12u2", "usr/share/doc/nodejs", {"nodejs-doc": "*.html"}),
    "gtk": _deb("libgtk-4-doc", "4.8.3+ds-2+deb12u1", "usr/share/doc/libgtk-4-doc", {"gtk-doc": "*.html"}),
    "qt": _deb("qtbase5-doc-html", "5.15.8+dfsg-11+deb12u3", "usr/share/qt5/doc", {"qt-doc": "*.html"}),
    "gimp": _deb("gimp-help-en", "2.10.34-2", "usr/share/gimp/2.0/help", {"gimp-help": "*.html"}),
    "kicad": _deb("kicad-doc-en", "6.0.11+dfsg-1", "usr/share/doc/kicad/help", {"kicad-doc": "*.html"}),
    "debian": _deb(
        "debian-reference-en", "2.100", "usr/share/debian-reference", {"debian-reference": "*.html"}
    ),
}
_MARGIN = 1.03  # fonts, and so lengths, differ between machines
# The same file under another name.
_TWICE = {("news", "video_article_01.html")}


def family_of(package: Package, path: str) -> str | None:
    """Return the template family of a page, ``None``: it is of none."""
    for family, pattern in package.families.items():
        if fnmatch.fnmatchcase(path, pattern):
            return family + re.split(r"[_.\d]", path)[0] if family.endswith("-") else family
    return None


def spread(things: Sequence, most: int) -> list:
    """Return at most ``most`` of ``things``, evenly from the first to the last."""
    if len(things) <= most:
        return list(things)
    return [things[round(at * (len(things) - 1) / (most - 1))] for at in range(most)]


def choose(pages: Sequence[IndexedPage]) -> list[IndexedPage]:
    """Return the pages with enough to scroll, at most 20 of each family, evenly by length, by name."""
    families = defaultdict(list)
    for page in sorted(pages, key=lambda page: (page.screens, page.path)):
        if page.screens >= LEAST_SCREENS * _MARGIN:
            families[page.family].append(page)
    chosen = [page for family in families.values() for page in spread(family, MOST_PER_FAMILY)]
    return sorted(chosen, key=lambda page: (page.source, page.family, page.path))


def survey(
    name: str, archives: Path, connection: Connection, most: int, log: Callable[[str], None]
) -> tuple[Source, list[IndexedPage]]:
    """Return a source and its pages that are worth measuring."""
    package = PACKAGES[name]
    archive = archives / package.archive
    source = Source(
        name,
        package.client,
        package.package,
        package.version,
        package.archive,
        file_sha256(archive),
        round(archive.stat().st_size / 1e6, 1),
        package.root,
    )
    with staging_folder() as site:
        unpack_site(archive, package.root, site, lambda path: True)
        candidates = defaultdict(list)
        for file in sorted(site.rglob("*.html")):
            path = file.relative_to(site).as_posix()
            family = None if (name, path) in _TWICE else family_of(package, path)
            if family is not None:
                candidates[family].append(CorpusPage(path, family, name, path, site, None))
        drawn = [page for family in candidates.values() for page in spread(family, most)]
        checked = check_pages(connection, drawn, log)
    for each in checked:
        if each.fault:
            log(f"left out: {name}/{each.page.place}: {each.fault}")
    found = [
        IndexedPage(name, each.page.place, each.page.family, round(each.screens, 2))
        for each in checked
        if each.screens is not None
    ]
    return source, choose(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--from", dest="archives", type=Path, required=True, help="folder of the archives")
    parser.add_argument(
        "--only", action="append", choices=list(PACKAGES), help="survey only this; repeatable"
    )
    parser.add_argument("--sample", type=int, default=60, help="pages of a family to open")
    args = parser.parse_args()
    old = load_index() if INDEX.is_file() else Index("", (), ())
    sources = {source.name: source for source in old.sources}
    pages = {source: old.pages_of(source) for source in sources}
    with Browser(Launch(only_loopback=True)) as browser, Connection(browser.endpoint) as connection:
        version = connection.call("Browser.getVersion")["product"]
        for name in args.only or PACKAGES:
            sources[name], pages[name] = survey(name, args.archives, connection, args.sample, print)
            print(f"{name}: {len(pages[name])} pages")
    order = [name for name in PACKAGES if name in sources]
    index = Index(
        version,
        tuple(sources[name] for name in order),
        tuple(page for name in order for page in pages[name]),
    )
    write_atomic(INDEX, as_lines(index))


def as_lines(index: Index) -> bytes:
    """Return the index as JSON with a line for each source and page, so that a change shows as lines."""
    rows = {
        "sources": [msgspec.json.encode(source).decode() for source in index.sources],
        "pages": [msgspec.json.encode(page).decode() for page in index.pages],
    }
    lists = ",\n".join(f'"{key}": [\n' + ",\n".join(lines) + "\n]" for key, lines in rows.items())
    return f'{{"browser": {msgspec.json.encode(index.browser).decode()},\n{lists}}}\n'.encode()


if __name__ == "__main__":
    main()
