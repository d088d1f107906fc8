"""Pack the edgekit that runs here as a wheel.

``pip wheel`` needs the source tree and leaves folders in it; this packs an installed edgekit as well
as a tree, and equal files give equal bytes, so that a device is only sent what changed.
Format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import runtime
from runtime._version import __version__
from runtime.errors import VersionConflict

_PACKAGES = ("edgekit", "predictors", "runtime")
_SKIPPED = {"__pycache__"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file can say


def pack(folder: Path) -> Path:
    """Write the wheel into ``folder`` and return its path.

    Raises:
        VersionConflict: this edgekit was never installed, or as another version.
    """
    try:
        metadata = importlib.metadata.distribution("edgekit")
    except importlib.metadata.PackageNotFoundError as err:
        raise VersionConflict(
            "edgekit is not installed here; run: pip install -e . (or pip install edgekit)"
        ) from err
    if metadata.version != __version__:
        raise VersionConflict(
            f"the files are edgekit {__version__}, but {metadata.version} is installed; run: pip install -e ."
        )
    info = f"edgekit-{__version__}.dist-info"
    files = dict(_sources(Path(runtime.__file__).parents[1]))
    files[f"{info}/METADATA"] = (
        metadata.read_text("METADATA") or metadata.read_text("PKG-INFO") or ""
    ).encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: edgekit\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\nedgekit = edgekit.cli:main\n"
    record = f"{info}/RECORD"
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in files.items()]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"edgekit-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return path


def _sources(home: Path) -> Iterator[tuple[str, bytes]]:
    for package in _PACKAGES:
        for path in sorted((home / package).rglob("*")):
            if path.is_file() and not _SKIPPED & set(path.parts):
                yield path.relative_to(home).as_posix(), path.read_bytes()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
