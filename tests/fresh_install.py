"""edgekit in a fresh virtual environment, as a board has it: a wheel of this tree, and plain pip."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.places import ROOT

_SOURCES = ("edgekit", "runtime", "predictors", "pyproject.toml", "README.md", "LICENSE")


class NoPackages(Exception):
    """pip reaches no index, or there is no wheel for this Python."""


@dataclass(frozen=True)
class FreshInstall:
    """A virtual environment without pip and setuptools of its own."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin/python"

    @property
    def site_packages(self) -> Path:
        (found,) = self.folder.glob("lib/python3*/site-packages")
        return found

    def run(self, *arguments: str, timeout_s: float = 300.0) -> subprocess.CompletedProcess[str]:
        """Run its Python, which sees nothing of this tree."""
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


def build_wheel(folder: Path) -> Path:
    """Build edgekit's wheel from a copy of the tree, which the build would leave things in."""
    tree = folder / "tree"
    for name in _SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tree)
    _pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(tree))
    (wheel,) = folder.glob("edgekit_toolkit-*.whl")
    return wheel


def install_fresh(folder: Path, *requirements: str) -> FreshInstall:
    """Make a virtual environment in ``folder`` and install ``requirements``.

    Raises:
        NoPackages: pip cannot get them here.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    made = FreshInstall(folder)
    _pip("--python", str(made.python), "install", *requirements)
    return made


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    if "No matching distribution" in done.stderr:
        raise NoPackages(done.stderr.strip().splitlines()[-1])
    raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
