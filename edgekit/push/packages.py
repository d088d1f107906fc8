"""Fetch the wheels that a device needs, on the host, and lock them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgekit.push.machine import Machine
from runtime.bundle.digest import file_sha256
from runtime.bundle.staging import staging_folder
from runtime.errors import DataError

LOCK = "requirements.lock"
# What pip says where it cannot reach an index at all, as against an index that has no such wheel.
NO_INDEX = re.compile(
    r"Failed to establish a new connection|NewConnectionError|Temporary failure in name resolution|"
    r"Name or service not known|Max retries exceeded|Network is unreachable|Read timed out|ProxyError|"
    r"SSLError|Connection (?:refused|aborted|reset|broken)"
)


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
    lines = sorted(_requirements(wheel))
    key = hashlib.sha256("\n".join([f"{sorted(extras)}", *lines]).encode()).hexdigest()[:12]
    folder = _cache() / f"py{machine.version}-glibc{machine.glibc}-{machine.arch}-{key}"
    if (folder / LOCK).is_file():
        return _read_lock(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with staging_folder(folder.parent) as temporary:
        wanted = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
        # pip itself travels too: many a board has Python without it.
        _download([wanted, "pip"], machine, temporary)
        while missing := missing_requirements(sorted(temporary.glob("*.whl")), extras, machine):
            _download(missing, machine, temporary)
        (temporary / wheel.name).unlink()
        (temporary / LOCK).write_text("".join(map(lock_line, sorted(temporary.glob("*.whl")))))
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    folder.chmod(0o755)
    return _read_lock(folder)


def missing_requirements(wheels: Sequence[Path], extras: Collection[str], machine: Machine) -> list[str]:
    """Return what ``wheels`` need on ``machine`` and none of them is.

    ``pip download --python-version`` takes the wheels of that Python, but judges markers such as
    ``python_version < '3.11'`` by the one that it runs in (pypa/pip#11664).
    """
    from pip._vendor.packaging.requirements import Requirement
    from pip._vendor.packaging.utils import canonicalize_name

    there = {
        "implementation_name": "cpython",
        "implementation_version": f"{machine.version}.0",
        "os_name": "posix",
        "platform_machine": machine.arch,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{machine.version}.0",
        "python_version": machine.version,
        "sys_platform": "linux",
    }
    have = {canonicalize_name(wheel.name.partition("-")[0]) for wheel in wheels}
    missing: dict[str, str] = {}
    for wheel in wheels:
        for requirement in map(Requirement, _requirements(wheel)):
            name, marker = canonicalize_name(requirement.name), requirement.marker
            is_due = marker is None or any(marker.evaluate(there | {"extra": e}) for e in ("", *extras))
            if is_due and name not in have:
                missing[name] = f"{requirement.name}{requirement.specifier}"
    return list(missing.values())


def lock_line(wheel: Path) -> str:
    """Return ``name==version --hash=sha256:...``, a line that ``pip install --require-hashes`` reads."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{file_sha256(wheel)}\n"


def _download(requirements: list[str], machine: Machine, folder: Path) -> None:
    command = [
        *(sys.executable, "-P", "-m", "pip", "download", *requirements, "--dest", str(folder)),
        *("-vv", "--disable-pip-version-check", "--only-binary=:all:", "--implementation", "cp"),
        *("--python-version", machine.version, *(f"--platform={tag}" for tag in machine.platforms)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    said = " ".join(done.stderr.split())[-600:]
    # What it cannot connect to it says on stdout, if very verbose, and on stderr that there are no versions.
    if NO_INDEX.search(done.stdout + done.stderr):
        raise DataError(
            "this machine (not the device) cannot reach a package index, so there are no wheels to send: "
            f"{said}; connect it, or set PIP_INDEX_URL to one that it reaches, and push again: the "
            "device is unchanged"
        )
    if "No space left" in done.stderr or "Permission denied" in done.stderr:
        raise DataError(f"this machine (not the device) cannot keep wheels in {folder.parent}: {said}")
    raise DataError(
        f"no wheels for Python {machine.version} on {machine.arch} with glibc {machine.glibc}: {said}; "
        "choose another engine with --engine, or a Python for the device that they are made for with --python"
    )


def _read_lock(folder: Path) -> Lock:
    return Lock(tuple(sorted(folder.glob("*.whl"))), folder / LOCK)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgekit/wheels"


def _requirements(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (
            name
            for name in archive.namelist()
            if name.count("/") == 1 and name.endswith(".dist-info/METADATA")
        )
        lines = archive.read(name).decode().partition("\n\n")[0].splitlines()
    return [line.partition(":")[2].strip() for line in lines if line.startswith("Requires-Dist:")]
