"""ExecuTorch without torch: a small C++ runner, found, or built on demand from the sources in ``src/``."""

from runtime.native.build import build_for, build_runner
from runtime.native.finding import FoundRunner, find_runner
from runtime.native.libraries import Libraries, fetch_libraries, installed_libraries
from runtime.native.runner import Runner

__all__ = [
    "FoundRunner",
    "Libraries",
    "Runner",
    "build_for",
    "build_runner",
    "fetch_libraries",
    "find_runner",
    "installed_libraries",
]
