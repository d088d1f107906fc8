"""Pack what runs here as wheels: edgekit itself, and the native ExecuTorch runner.

``pip wheel`` needs the source tree and leaves folders in it; this packs an installed edgekit as well
as a tree, and equal files give equal bytes, so that a device is only sent what changed.
Format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import stat
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from runtime._version import __version__
from runtime.engines.native import NativeRunner
from runtime.engines.native.finding import PACKAGE
from runtime.errors import VersionConflict
from runtime.extras import DISTRIBUTION, HOME, install_line

_PACKAGES = ("edgekit", "predictors", "runtime")
_SKIPPED = {"__pycache__"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file can say


def pack(folder: Path) -> Path:
    """Write the wheel of this edgekit into ``folder`` and return its path.

    Raises:
        VersionConflict: this edgekit was never installed, or as another version.
    """
    try:
        metadata = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError as err:
        raise VersionConflict(
            f"{DISTRIBUTION} is not installed here, its files lie in {HOME}; run: {install_line()}"
        ) from err
    if metadata.version != __version__:
        raise VersionConflict(
            f"the files are edgekit {__version__}, but {metadata.version} is installed; run: {install_line()}"
        )
    files = dict(_sources(HOME))
    name = f"{DISTRIBUTION.replace('-', '_')}-{__version__}"
    files[f"{name}.dist-info/entry_points.txt"] = b"[console_scripts]\nedgekit = edgekit.cli:main\n"
    text = (metadata.read_text("METADATA") or metadata.read_text("PKG-INFO") or "").encode()
    return _write(folder, name, "py3-none-any", files, text)


def pack_runner(runner: NativeRunner, folder: Path) -> Path:
    """Write the wheel of a native runner into ``folder`` and return its path.

    Its tag says nothing of the C library, because the device's is only known to fit once it ran there.
    """
    files = {f"{PACKAGE}/{file.name}": file.read_bytes() for file in sorted(runner.folder.iterdir())}
    files[f"{PACKAGE}/__init__.py"] = b'"""The native ExecuTorch runner: a program beside this file."""\n'
    version = f"{runner.executorch}+{runner.sources}"
    text = f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n".encode()
    programs = {f"{PACKAGE}/{runner.program.name}"}
    return _write(folder, f"{PACKAGE}-{version}", f"py3-none-linux_{runner.arch}", files, text, programs)


def _write(
    folder: Path,
    name: str,
    tag: str,
    files: Mapping[str, bytes],
    metadata: bytes,
    programs: Collection[str] = (),
) -> Path:
    """Write ``NAME-TAG.whl``; ``programs`` are the files that may be executed."""
    info = f"{name}.dist-info"
    is_pure = str(tag.endswith("-any")).lower()
    about = f"Wheel-Version: 1.0\nGenerator: edgekit\nRoot-Is-Purelib: {is_pure}\nTag: {tag}\n"
    whole = {**files, f"{info}/METADATA": metadata, f"{info}/WHEEL": about.encode()}
    record = f"{info}/RECORD"
    lines = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in whole.items()]
    whole[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in whole.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | (0o755 if path in programs else 0o644)) << 16
            archive.writestr(entry, data)
    return wheel


def _sources(home: Path) -> Iterator[tuple[str, bytes]]:
    for package in _PACKAGES:
        for path in sorted((home / package).rglob("*")):
            if path.is_file() and not _SKIPPED & set(path.parts):
                yield path.relative_to(home).as_posix(), path.read_bytes()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
