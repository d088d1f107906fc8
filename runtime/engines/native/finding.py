"""Where this machine's native runner is, or why there is none."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from runtime.engines.native.build import build_runner, cache_folder, cached_runner, find_compiler
from runtime.engines.native.libraries import installed_libraries
from runtime.engines.native.runner import FACTS, NativeRunner, open_runner, sources_digest, this_arch
from runtime.errors import DeviceStableError, MissingExtra

VARIABLE = "EDGEKIT_NATIVE_RUNNER"
PACKAGE = "edgekit_runner"  # of the wheel that `edgekit push` brings


@dataclass(frozen=True)
class FoundRunner:
    """The runner, if there is one, and in words where it comes from or why there is none.

    ``can_build``: there is none yet, but everything to build it.
    """

    runner: NativeRunner | None
    reason: str
    can_build: bool = False


def find_runner(*, build: bool = True) -> FoundRunner:
    """Look where ``$EDGEKIT_NATIVE_RUNNER`` says, for the installed package, in the cache; else build it.

    Args:
        build: build it where it can be; else only say so.

    Raises:
        DeviceStableError: the variable names something that cannot be used, or the build fails.
    """
    if place := os.environ.get(VARIABLE):
        return FoundRunner(open_runner(Path(place)), f"{VARIABLE} names {place}")
    spec = importlib.util.find_spec(PACKAGE)
    if spec is not None and spec.origin is not None:
        runner = open_runner(Path(spec.origin).parent)
        return FoundRunner(runner, f"installed in {runner.folder}")
    try:
        libraries = installed_libraries()
        runner = cached_runner(libraries)
        if (runner.folder / FACTS).is_file():
            return FoundRunner(runner, f"built before, in {runner.folder}")
        find_compiler(libraries.arch)
    except (MissingExtra, DeviceStableError) as err:
        return _newest_cached() or FoundRunner(None, str(err))
    if not build:
        return FoundRunner(None, "will be built at first use", can_build=True)
    runner = build_runner(libraries)
    return FoundRunner(runner, f"built now, in {runner.folder}")


def _newest_cached() -> FoundRunner | None:
    """Return the newest runner that was built or copied before, for whichever ExecuTorch."""
    folders = cache_folder().glob(f"{this_arch()}-executorch*-{sources_digest()}/{FACTS}")
    newest = max(folders, key=lambda facts: facts.stat().st_mtime, default=None)
    if newest is None:
        return None
    return FoundRunner(open_runner(newest.parent), f"built before, in {newest.parent}")
