"""Fetch the wheels that a device needs, on the host, and lock them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from edgekit.push.machine import Machine
from runtime.bundle.staging import staging_folder
from runtime.errors import DataError
from runtime.targets.ssh.device_files import sha256_of

LOCK = "requirements.lock"


@dataclass(frozen=True)
class Lock:
    """Wheels, and the file that pins each by version and sha256 in pip's form."""

    wheels: tuple[Path, ...]
    path: Path


def fetch(wheel: Path, extras: list[str], machine: Machine) -> Lock:
    """Return what ``wheel`` with ``extras`` needs on ``machine``, and pip, downloaded and locked.

    What was fetched before for such a machine is used again, without a network.

    Raises:
        DataError: pip finds no wheel for that machine, or cannot reach the index.
    """
    key = hashlib.sha256(f"{sorted(extras)} {_metadata(wheel)}".encode()).hexdigest()[:12]
    folder = _cache() / f"py{machine.version}-glibc{machine.glibc}-{machine.arch}-{key}"
    if (folder / LOCK).is_file():
        return _read_lock(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with staging_folder(folder.parent) as temporary:
        wanted = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
        # pip itself travels too: many a board has Python without it.
        _download([wanted, "pip"], machine, temporary)
        (temporary / wheel.name).unlink()
        (temporary / LOCK).write_text("".join(map(lock_line, sorted(temporary.glob("*.whl")))))
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    folder.chmod(0o755)
    return _read_lock(folder)


def lock_line(wheel: Path) -> str:
    """Return ``name==version --hash=sha256:...``, a line that ``pip install --require-hashes`` reads."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{sha256_of(wheel)}\n"


def _download(requirements: list[str], machine: Machine, folder: Path) -> None:
    command = [
        *(sys.executable, "-P", "-m", "pip", "download", *requirements, "--dest", str(folder)),
        *("--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--implementation", "cp"),
        *("--python-version", machine.version, *(f"--platform={tag}" for tag in machine.platforms)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DataError(
            f"no wheels for Python {machine.version} on {machine.arch} with glibc {machine.glibc}: "
            f"{done.stderr.strip()[-600:]}"
        )


def _read_lock(folder: Path) -> Lock:
    return Lock(tuple(sorted(folder.glob("*.whl"))), folder / LOCK)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgekit/wheels"


def _metadata(wheel: Path) -> str:
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    return "\n".join(sorted(line for line in lines if line.startswith("Requires-Dist")))
