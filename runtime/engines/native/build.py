"""Build the runner with cmake, once per sources, ExecuTorch and architecture."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from runtime.bundle.staging import staging_folder
from runtime.engines.native.libraries import (
    NAMES,
    Libraries,
    fetch_libraries,
    installed_libraries,
    unpack_wheel,
)
from runtime.engines.native.runner import FACTS, PROGRAM, SOURCES, NativeRunner, sources_digest, this_arch
from runtime.errors import DeviceStableError, MissingExtra

_WORDS = 800  # characters of the compiler's output that an error quotes


def cache_folder() -> Path:
    """Return where built runners are kept: below ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgekit/native"


def cached_runner(libraries: Libraries, cache: Path | None = None) -> NativeRunner:
    """Return where the runner for ``libraries`` stands once it is built."""
    name = f"{libraries.arch}-executorch{libraries.version}-{sources_digest()}"
    return NativeRunner((cache or cache_folder()) / name, libraries.version, libraries.arch, sources_digest())


def build_runner(libraries: Libraries, cache: Path | None = None) -> NativeRunner:
    """Return the runner for ``libraries``, built now unless it is in ``cache``; takes some ten seconds.

    Whole or not at all, and by one process at a time: others wait for it and use it.

    Raises:
        DeviceStableError: cmake or the compiler is not there, or fails.
    """
    runner = cached_runner(libraries, cache)
    if (runner.folder / FACTS).is_file():
        return runner
    compiler = find_compiler(libraries.arch)
    runner.folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(runner.folder.with_suffix(".lock")):
        if not (runner.folder / FACTS).is_file():
            with staging_folder(runner.folder.parent) as temporary:
                _build(libraries, compiler, temporary)
                _collect(libraries, temporary, runner)
    return runner


def build_for(arch: str | None = None, wheel: Path | None = None, cache: Path | None = None) -> NativeRunner:
    """Return the runner for ``arch`` with the ExecuTorch of ``wheel``.

    Args:
        arch: default: that of the wheel, or this machine's.
        wheel: default: the installed ExecuTorch if it is for that architecture, else PyPI's.

    Raises:
        DeviceStableError: there is no such ExecuTorch, or the build fails.
    """
    cache = cache or cache_folder()
    if wheel is not None:
        with staging_folder() as temporary:
            libraries = unpack_wheel(wheel, temporary)
            if arch not in (None, libraries.arch):
                raise DeviceStableError(f"{wheel.name} is for {libraries.arch}; give one for {arch}")
            return build_runner(libraries, cache)
    if arch in (None, this_arch()):
        try:
            return build_runner(installed_libraries(), cache)
        except MissingExtra:
            arch = this_arch()
    return build_runner(fetch_libraries(arch or this_arch(), cache), cache)


def find_compiler(arch: str) -> str:
    """Return the C++ compiler that makes programs for ``arch``.

    Raises:
        DeviceStableError: it, or cmake, is not installed.
    """
    names = [f"{arch}-linux-gnu-g++"]
    if arch == this_arch():
        names = [os.environ.get("CXX") or "c++", "g++", "clang++"]
    package = "g++" if arch == this_arch() else f"g++-{arch}-linux-gnu"
    compiler = next(filter(None, map(shutil.which, names)), None)
    lacking = [name for name, found in ((package, compiler), ("cmake", shutil.which("cmake"))) if not found]
    if compiler is None or lacking:
        raise DeviceStableError(
            f"cannot build the native runner for {arch}: no {' and no '.join(lacking)}; "
            f"run: apt install {' '.join(lacking)}"
        )
    return compiler


def _build(libraries: Libraries, compiler: str, folder: Path) -> None:
    options = {
        "EXECUTORCH_ROOT": str(libraries.root),
        "EXECUTORCH_VERSION": libraries.version,
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_CXX_COMPILER": compiler,
    }
    if libraries.arch != this_arch():
        options |= {"CMAKE_SYSTEM_NAME": "Linux", "CMAKE_SYSTEM_PROCESSOR": libraries.arch}
    defines = [f"-D{name}={value}" for name, value in options.items()]
    _run(["cmake", "-S", str(SOURCES), "-B", str(folder / "build"), *defines])
    _run(["cmake", "--build", str(folder / "build"), "--parallel"])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        at = max(0, done.stdout.lower().find("error"))  # what comes after is its consequence
        words = " ".join(done.stdout[at:].split())[:_WORDS]
        raise DeviceStableError(f"building the native runner failed: {words}; try another compiler with CXX")


def _collect(libraries: Libraries, folder: Path, runner: NativeRunner) -> None:
    """Put program, libraries and facts into one folder; the facts say that it is whole."""
    whole = folder / "whole"
    whole.mkdir(mode=0o755)
    shutil.copy(folder / "build" / PROGRAM, whole)
    for name in NAMES:
        shutil.copy(libraries.root / "lib" / name, whole)
    facts = {"executorch": runner.executorch, "arch": runner.arch, "sources": runner.sources}
    (whole / FACTS).write_bytes(msgspec.json.encode(facts))
    shutil.rmtree(runner.folder, ignore_errors=True)
    whole.rename(runner.folder)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # given up by the kernel if this process dies
        yield
