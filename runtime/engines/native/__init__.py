"""ExecuTorch without torch: a small C++ runner, found, or built on demand from the sources in ``src/``."""

from runtime.engines.native.build import build_for, build_runner
from runtime.engines.native.finding import FoundRunner, find_runner
from runtime.engines.native.libraries import Libraries, fetch_libraries, installed_libraries
from runtime.engines.native.runner import NativeRunner

__all__ = [
    "FoundRunner",
    "Libraries",
    "NativeRunner",
    "build_for",
    "build_runner",
    "fetch_libraries",
    "find_runner",
    "installed_libraries",
]
