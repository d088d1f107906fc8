"""A bundle on disk: opened with every byte checked, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from runtime.bundle.manifest import FileEntry, Manifest, Variant, check_inside
from runtime.errors import BundleError
from runtime.workload import Workload

T = TypeVar("T")
MANIFEST = "manifest.json"
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
        if not (root / MANIFEST).is_file():
            raise BundleError(f"{root} is not a bundle (no {MANIFEST}); make one with: edgekit export MODEL -o NAME.edgekit")
        manifest = Manifest.from_json((root / MANIFEST).read_bytes(), f"{root.name}/{MANIFEST}")
        bundle = Bundle(root, manifest)
        for entry in manifest.files:
            bundle._verify(entry)
        return bundle

    def file(self, relative: str) -> Path:
        """Return the path of a file of this bundle."""
        return self.path / relative

    def labels(self) -> list[str] | None:
        """Return the class names in output order, or ``None`` when the bundle has none."""
        if self.manifest.labels is None:
            return None
        return self.file(self.manifest.labels).read_text(encoding="utf-8").splitlines()

    def workload(self, variant: Variant) -> Workload | None:
        """Return what one frame of ``variant`` costs, or ``None`` when the bundle does not say."""
        if variant.workload is None:
            return None
        return decode_file(self.file(variant.workload), Workload)

    def find(self, kind: str) -> list[str]:
        """Return the paths of all files of ``kind``, in manifest order."""
        return [entry.path for entry in self.manifest.files if entry.kind == kind]

    def add(self, relative: str, data: bytes, kind: str) -> Bundle:
        """Return this bundle with a file added or replaced, on disk first and the manifest last.

        A reader sees either the old bundle or the new one, except that a replaced file's bytes
        are new a moment before the manifest says so.
        """
        entry = _entry(relative, data, kind)
        target = self.file(relative)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(target, data)
        kept = tuple(e for e in self.manifest.files if e.path != relative)
        manifest = replace(self.manifest, files=(*kept, entry))
        write_atomic(self.path / MANIFEST, manifest.to_json())
        return Bundle(self.path, manifest)

    def _verify(self, entry: FileEntry) -> None:
        target = self.path / entry.path
        if not target.resolve().is_relative_to(self.path.resolve()):
            raise BundleError(f"{entry.path!r} is a link out of {self.path.name}; a bundle may only hold its own files")
        if not target.is_file():
            raise BundleError(f"{self.path.name} lacks {entry.path!r}, which its manifest lists; export it again")
        size_bytes = target.stat().st_size
        if size_bytes != entry.size_bytes:
            raise BundleError(
                f"{entry.path!r} in {self.path.name} has {size_bytes} bytes, the manifest says {entry.size_bytes}; "
                "it was changed or cut short: copy or export the bundle again"
            )
        with target.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != entry.sha256:
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
        """Write one file and return its path inside the bundle."""
        self._entries[relative] = _entry(relative, data, kind)
        target = self.root / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return relative

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest with the files collected so far."""
        manifest = replace(manifest, files=tuple(self._entries.values()))
        # A writer checks what a reader will: a bundle that cannot be opened is never made.
        Manifest.from_json(manifest.to_json(), MANIFEST)
        (self.root / MANIFEST).write_bytes(manifest.to_json())


@contextlib.contextmanager
def new_bundle(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[BundleWriter]:
    """Yield a writer; on success the bundle appears at ``path`` whole, on failure nothing does.

    Args:
        path: the bundle's folder; ``.edgekit`` is the usual ending.
        overwrite: replace a bundle that is already there. Other folders are never replaced.

    Raises:
        BundleError: something is at ``path`` already, or its parent is missing.
    """
    target = Path(path)
    if not target.resolve().parent.is_dir():
        raise BundleError(f"{target.parent} does not exist; make it first or choose another --out")
    if target.exists() and not (overwrite and (target / MANIFEST).is_file()):
        raise BundleError(f"{target} is already there; remove it, choose another --out, or pass --overwrite (bundles only)")
    staging = Path(tempfile.mkdtemp(prefix=f"{target.name}.tmp-", dir=target.resolve().parent))
    try:
        writer = BundleWriter(staging)
        yield writer
        if not (staging / MANIFEST).is_file():
            raise BundleError(f"{target.name} was not finished: it has no manifest")
        staging.chmod(0o755)
        if target.exists():
            old = staging.with_name(staging.name + ".old")
            target.rename(old)
            staging.rename(target)
            shutil.rmtree(old)
        else:
            staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def decode_file(path: Path, kind: type[T]) -> T:
    """Read JSON at ``path`` as ``kind``, checked.

    Raises:
        BundleError: it is not JSON or does not fit.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as err:
        raise BundleError(f"{path.name} does not fit its schema: {err}") from err


def write_atomic(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data`` so that a crash leaves the old file or the new one, never half of one."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _entry(relative: str, data: bytes, kind: str) -> FileEntry:
    check_inside(relative)
    return FileEntry(relative, hashlib.sha256(data).hexdigest(), len(data), kind)
