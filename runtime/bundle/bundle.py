"""A bundle on disk: opened with every byte checked, written whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from runtime.bundle.decoding import decode_json, read_regular
from runtime.bundle.digest import file_sha256
from runtime.bundle.disk import write_atomic, writing
from runtime.bundle.manifest import MANIFEST, FileEntry, Manifest, Variant, check_inside
from runtime.bundle.staging import locked, restore_replaced, staging_folder, swap_in
from runtime.bundle.tensors import Graph
from runtime.bundle.workload import Workload
from runtime.errors import BundleError

T = TypeVar("T")
SUFFIX = ".edgekit"


@dataclass(frozen=True)
class Bundle:
    """A folder with a checked manifest.

    ``open`` verifies schema, paths, sizes and sha256 before anything of it is used:
    a bundle comes from elsewhere and is not trusted.

    Example:
        >>> bundle = Bundle.open("mobilenet.edgekit")        # doctest: +SKIP
        >>> bundle.file(bundle.manifest.variant().path)      # doctest: +SKIP
    """

    path: Path
    manifest: Manifest

    @staticmethod
    def open(path: str | os.PathLike[str]) -> Bundle:
        """Read and verify the bundle at ``path``.

        Raises:
            BundleError: not a bundle, or a file is missing, changed or outside.
            VersionConflict: a newer schema.
        """
        root = Path(path)
        _refuse_links(root)
        bundle = Bundle(root, _read_manifest(root))
        for entry in bundle.manifest.files:
            bundle._verify(entry)
        return bundle

    def file(self, relative: str) -> Path:
        """Return the path of a file of this bundle."""
        return self.path / relative

    def sha256(self, relative: str) -> str:
        """Return the hash of a file of this bundle, as the manifest has it."""
        return next(entry.sha256 for entry in self.manifest.files if entry.path == relative)

    def labels(self) -> list[str] | None:
        """Return the class names in output order, or ``None`` when the bundle has none."""
        if self.manifest.labels is None:
            return None
        try:
            text = self.file(self.manifest.labels).read_text(encoding="utf-8")
        except UnicodeDecodeError as err:
            raise BundleError(f"{self.manifest.labels!r} is not UTF-8 text ({err}); export it again") from err
        return text.removesuffix("\n").split("\n")  # splitlines() would also split inside a label

    def workload(self, variant: Variant) -> Workload | None:
        """Return what one frame of ``variant`` costs, or ``None`` when the bundle does not say."""
        if variant.workload is None:
            return None
        return decode_file(self.file(variant.workload), Workload)

    def costs(self, variant: Variant) -> tuple[tuple[Workload, str], ...]:
        """Return what one frame of ``variant`` costs by the precisions it is computed in; empty: unknown."""
        workload = self.workload(variant)
        return () if workload is None else ((workload, variant.precision),)

    def find(self, kind: str) -> list[str]:
        """Return the paths of all files of ``kind``, in manifest order."""
        return [entry.path for entry in self.manifest.files if entry.kind == kind]

    def add(self, relative: str, data: bytes, kind: str, of: tuple[Variant, Graph] | None = None) -> Bundle:
        """Return this bundle with a file added or replaced.

        Args:
            of: a new variant whose model this is, and its graph.

        The new bytes wait beside the old ones until the manifest names them, so a crash at any
        moment leaves the old bundle, or the new one, which ``open`` then completes. What others
        added to the manifest since this bundle was opened is kept.

        Raises:
            BundleError: the disk is full or the bundle cannot be written; it stays as it was.
        """
        entry = _entry(relative, data, kind)
        _refuse_links(self.path)
        target = self.file(relative)
        with locked(self.path):
            current = _read_manifest(self.path)
            kept = tuple(e for e in current.files if e.path != relative)
            manifest = replace(current, files=(*kept, entry))
            if of is not None:
                variant, graph = of
                others = tuple(v for v in current.variants if v.name != variant.name)
                graphs = {**current.graphs, variant.graph: graph}
                manifest = replace(manifest, variants=(*others, variant), graphs=graphs)
            with writing(self.path, len(data)):
                target.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(_staged(target, entry), data)
                try:
                    write_atomic(self.path / MANIFEST, manifest.to_json())
                except OSError:
                    _staged(target, entry).unlink(missing_ok=True)
                    raise
            with contextlib.suppress(FileNotFoundError):  # another process has just opened the bundle
                os.replace(_staged(target, entry), target)
            for left in target.parent.glob(f".{glob.escape(target.name)}.*.new"):
                left.unlink(missing_ok=True)  # of an `add` that was killed before the manifest named it
        return Bundle(self.path, manifest)

    def _verify(self, entry: FileEntry) -> None:
        target = self.path / entry.path
        if _staged(target, entry).is_file():
            os.replace(_staged(target, entry), target)  # `add` died between the manifest and this step
        if not target.is_file():
            raise BundleError(f"{self.path.name} lacks {entry.path!r}, which it lists; export it again")
        size_bytes = target.stat().st_size
        if size_bytes != entry.size_bytes:
            raise BundleError(
                f"{entry.path!r} in {self.path.name} has {size_bytes} bytes, the manifest says "
                f"{entry.size_bytes}; it was changed or cut short: copy or export the bundle again"
            )
        if file_sha256(target) != entry.sha256:
            raise BundleError(
                f"{entry.path!r} in {self.path.name} does not match its sha256; "
                "it was changed: copy or export the bundle again"
            )


class BundleWriter:
    """Collects files for a new bundle in a temporary folder; see ``new_bundle``."""

    def __init__(self, root: Path):
        self.root = root
        self._entries: dict[str, FileEntry] = {}

    def add(self, relative: str, data: bytes, kind: str) -> str:
        """Write one file and return its path inside the bundle.

        Raises:
            BundleError: the disk is full, or cannot be written.
        """
        if relative in self._entries:
            raise ValueError(f"{relative!r} is in the bundle already; give each file a name of its own")
        self._entries[relative] = _entry(relative, data, kind)
        target = self.root / relative
        with writing(self.root.parent, len(data)):
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(target, data)
        return relative

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest with the files collected so far."""
        manifest = replace(manifest, files=tuple(self._entries.values()))
        # A writer checks what a reader will: a bundle that cannot be opened is never made.
        Manifest.from_json(manifest.to_json(), MANIFEST)
        with writing(self.root.parent, len(manifest.to_json())):
            write_atomic(self.root / MANIFEST, manifest.to_json())


@contextlib.contextmanager
def new_bundle(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[BundleWriter]:
    """Yield a writer; on success the bundle appears at ``path`` whole, on failure nothing does.

    Args:
        path: the bundle's folder; ``.edgekit`` is the usual ending.
        overwrite: replace a bundle that is already there. Other folders are never replaced.

    Raises:
        BundleError: something is at ``path`` already, its parent is missing or cannot be written, or
            the disk is full.
    """
    target = Path(path).resolve()  # a link to a bundle stays a link
    if not target.parent.is_dir():
        raise BundleError(f"{target.parent} does not exist; make it first or choose another --out")
    restore_replaced(target)
    if target.exists() and not (overwrite and _looks_like_bundle(target)):
        hint = "remove it, choose another --out, or pass --overwrite (bundles only)"
        raise BundleError(f"{path} is already there; {hint}")
    with contextlib.ExitStack() as stack:
        with writing(target.parent, 0):
            staging = stack.enter_context(staging_folder(target.parent, f"{target.name}.tmp-"))
        writer = BundleWriter(staging)
        yield writer
        if not (staging / MANIFEST).is_file():
            raise BundleError(f"{target.name} was not finished: it has no manifest")
        staging.chmod(0o755)
        swap_in(staging, target)


def rename_keys(data: bytes, names: Mapping[str, str]) -> bytes:
    """Return JSON in which keys that an older version wrote have the names of today.

    A quote inside a text is escaped, so that nothing but keys is found.

    Example:
        >>> rename_keys(b'{"old": "\\"old\\": 1"}', {"old": "new"})
        b'{"new": "\\"old\\": 1"}'
    """
    for old, new in names.items():
        data = data.replace(f'"{old}":'.encode(), f'"{new}":'.encode())
    return data


def decode_file(path: Path, kind: type[T], old_names: Mapping[str, str] | None = None) -> T:
    """Read JSON at ``path`` as ``kind``, checked.

    Args:
        old_names: of fields that had another name before, the name of today.

    Raises:
        BundleError: it is not JSON or does not fit.
    """
    advice = "copy or make it again"
    data = rename_keys(read_regular(path, advice=advice, error=BundleError), old_names or {})
    found: T = decode_json(
        data, kind, where=f"{path.name} does not fit its schema", advice=advice, error=BundleError
    )
    return found


def _read_manifest(root: Path) -> Manifest:
    if not (root / MANIFEST).is_file():
        hint = "make one with: edgekit export MODEL -o NAME.edgekit"
        raise BundleError(f"{root} is not a bundle (no {MANIFEST}); {hint}")
    data = read_regular(root / MANIFEST, advice="export the bundle again", error=BundleError)
    return Manifest.from_json(data, f"{root.name}/{MANIFEST}")


def _refuse_links(root: Path) -> None:
    """Raise ``BundleError`` if anything below ``root`` is neither a file nor a folder.

    A link could be read or written through; a pipe would be waited for.
    """
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            found = Path(folder, name)
            mode = found.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise BundleError(
                    f"{found.relative_to(root)} in {root.name} is a link; a bundle may only hold its own "
                    "files: if you trust it, copy it with its links followed (cp -rL)"
                )
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise BundleError(
                    f"{found.relative_to(root)} in {root.name} is a pipe, socket or device; a bundle may "
                    "only hold files: remove it"
                )


def _looks_like_bundle(folder: Path) -> bool:
    """Return whether ``folder`` holds a manifest of ours, even a damaged or newer one."""
    try:
        data = read_regular(folder / MANIFEST, advice="", error=BundleError)
        raw: Any = decode_json(data, where=MANIFEST, advice="", error=BundleError)
    except (OSError, BundleError):
        return False
    return isinstance(raw, dict) and {"schema_version", "graphs", "variants"} <= raw.keys()


def _staged(target: Path, entry: FileEntry) -> Path:
    return target.with_name(f".{target.name}.{entry.sha256[:16]}.new")


def _entry(relative: str, data: bytes, kind: str) -> FileEntry:
    check_inside(relative)
    return FileEntry(relative, hashlib.sha256(data).hexdigest(), len(data), kind)
