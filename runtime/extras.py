"""Import optional packages, or say exactly what to install."""

from __future__ import annotations

import importlib
import platform
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from runtime.errors import MissingExtra

# PyPI's `edgekit` is another project with the same import name: no line here may ever ask an index for it.
DISTRIBUTION = "edgekit-toolkit"
HOME = Path(__file__).parents[1]
# Packages that newer Pythons cannot install: devlib 1.3.4 imports `imp`, gone since 3.12.
_BELOW = {"devlib": (3, 12)}
_OF_EXTRA = re.compile(r"""(?:;|\s+and)\s*extra\s*==\s*["']([^"']+)["']""")


def require(module: str, extra: str | Sequence[str]) -> ModuleType:
    """Import ``module``, which the distribution's ``extra`` brings.

    Args:
        module: dotted name, such as ``ai_edge_litert.interpreter``.
        extra: the extra of edgekit that installs it, such as ``litert``; several where more is needed.

    Raises:
        MissingExtra: it is not installed, or too old to have ``module``; the message is the
            ``pip install`` line to run.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as err:
        top = module.partition(".")[0]
        if err.name is not None and err.name.partition(".")[0] != top:
            raise  # the package is there, something it needs is broken: show that
        line = install_line(*([extra] if isinstance(extra, str) else extra))
        problem = f"{top} is not installed" if err.name == top else f"the installed {top} has no {err.name}"
        if top in _BELOW and sys.version_info >= _BELOW[top]:
            most = ".".join(str(part) for part in _BELOW[top])
            raise MissingExtra(
                f"{problem}, and cannot be on Python {platform.python_version()}: it needs one below {most}; "
                f"make an environment with such a Python and run there: {line}"
            ) from err
        raise MissingExtra(f"{problem}; run: {line}") from err


def install_line(*extras: str) -> str:
    """Return the ``pip install`` line that brings ``extras``, or what edgekit always needs, to this edgekit.

    A checkout installs itself. A wheel cannot know where its sources are: the line names the packages, with
    the versions that its metadata asks for.

    Example:
        >>> install_line("litert")                                         # doctest: +SKIP
        "pip install -e '/home/me/edgekit[litert]'"
    """
    chosen = f"[{','.join(extras)}]" if extras else ""
    if _is_checkout():
        return f"pip install -e {shlex.quote(f'{HOME}{chosen}')}"
    needed = [line for line, extra in requirements() if extra in (extras or (None,))]
    if not needed:  # the packages were copied here without their metadata
        return f"pip install -e '.{chosen}' in a checkout of edgekit"
    return f"pip install {' '.join(shlex.quote(line) for line in dict.fromkeys(needed))}"


def requirements() -> list[tuple[str, str | None]]:
    """Return what our metadata asks for: each requirement, and the extra that it belongs to, if any.

    Nothing where edgekit runs from a folder and is not installed.
    """
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return []
    found = []
    for line in lines:
        match = _OF_EXTRA.search(line)
        found.append((line[: match.start()], match[1]) if match else (line, None))
    return found


def _is_checkout() -> bool:
    project = HOME / "pyproject.toml"
    return project.is_file() and f'name = "{DISTRIBUTION}"' in project.read_text(encoding="utf-8")
