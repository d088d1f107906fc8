"""A built runner: a folder that holds the program, ExecuTorch's libraries and what they are."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime.errors import DeviceStableError

PROGRAM = "edgekit-runner"
FACTS = "runner.json"
SOURCES = Path(__file__).parent / "src"


@dataclass(frozen=True)
class NativeRunner:
    """A runner in ``folder``, which may be copied anywhere as a whole.

    Attributes:
        executorch: version of the libraries beside it.
        arch: of the machine it runs on, such as ``aarch64``.
        sources: digest of the sources it was built from.
    """

    folder: Path
    executorch: str
    arch: str
    sources: str

    @property
    def program(self) -> Path:
        """Path of the executable."""
        return self.folder / PROGRAM

    @property
    def size_bytes(self) -> int:
        """Size of all that must be on the device."""
        return sum(file.stat().st_size for file in self.folder.iterdir())


def this_arch() -> str:
    """Return this machine's architecture by the name that wheels use."""
    return {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine())


def sources_digest() -> str:
    """Return a digest of the C++ sources that this package carries."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def open_runner(place: Path) -> NativeRunner:
    """Return the runner at ``place``, its folder or its program.

    Raises:
        DeviceStableError: there is none, or not one for this machine or this edgekit.
    """
    folder = place.parent if place.is_file() else place
    try:
        facts = msgspec.json.decode((folder / FACTS).read_bytes(), type=dict[str, str])
        runner = NativeRunner(folder, facts["executorch"], facts["arch"], facts["sources"])
    except (OSError, KeyError, msgspec.DecodeError) as err:
        raise DeviceStableError(
            f"{place} is not a native runner ({err}); give the folder that `edgekit runner` made"
        ) from err
    if not os.access(runner.program, os.X_OK):
        raise DeviceStableError(f"{folder} holds no executable {PROGRAM}; make it again: edgekit runner")
    if runner.arch != this_arch():
        raise DeviceStableError(
            f"the native runner in {folder} is for {runner.arch}, this machine is {this_arch()}; "
            f"make one for it: edgekit runner --arch {this_arch()}"
        )
    if runner.sources != sources_digest():
        raise DeviceStableError(
            f"the native runner in {folder} was built by another version of edgekit; "
            "make it again: edgekit runner"
        )
    return runner
