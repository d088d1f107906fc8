"""Whether other projects' files have the names of ours: `edgekit` on PyPI is not this one."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

from edgekit.doctor.check import Check
from runtime._version import __version__
from runtime.extras import DISTRIBUTION, HOME, install_line

PACKAGES = ("edgekit", "runtime", "predictors")


def check_names(_root: Path, path: Iterable[str] | None = None, home: Path = HOME) -> tuple[Check, ...]:
    """Tell where edgekit is, and what of the same name lies on Python's path.

    Args:
        path: folders that Python imports from; default: ``sys.path``.
        home: folder of our own packages.
    """
    folders = list(
        dict.fromkeys(str(Path(entry).resolve()) for entry in (sys.path if path is None else path))
    )
    ours = next(iter(metadata.distributions(name=DISTRIBUTION, path=folders)), None)
    if ours is None:
        first = Check(DISTRIBUTION, "warn", f"runs from {home}, but is not installed", install_line())
    else:
        first = Check(DISTRIBUTION, "ok", f"{__version__} in {home}")
    return (first, *_distributions(folders, home), *_packages(folders, home))


def _distributions(folders: list[str], home: Path) -> Iterable[Check]:
    for found in metadata.distributions(name="edgekit", path=folders):
        folder = Path(str(found.locate_file("")))
        if folder.resolve() == home.resolve() and (home / "pyproject.toml").is_file():
            continue  # left in the checkout by a build under our former name
        yield Check(
            "edgekit",
            "warn",
            f"{found.version} in {folder} is another project, or this one under its former name: "
            "its files have the names of ours",
            f"pip uninstall edgekit, then install {DISTRIBUTION} again",
        )


def _packages(folders: list[str], home: Path) -> Iterable[Check]:
    for name in PACKAGES:
        for folder in folders:
            found = PathFinder.find_spec(name, [folder])
            if found is None or found.origin is None or Path(folder) == home.resolve():
                continue
            yield Check(
                f"package {name}",
                "warn",
                f"{found.origin} has the name of a package of edgekit, which takes its own in {home}",
                "programs that import both cannot work: rename it, or keep it off Python's path",
            )
