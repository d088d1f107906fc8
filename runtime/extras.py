"""Import optional packages, or say exactly what to install."""

from __future__ import annotations

import importlib
import platform
import sys
from types import ModuleType

from runtime.errors import MissingExtra

# Packages that newer Pythons cannot install: devlib 1.3.4 imports `imp`, gone since 3.12.
_BELOW = {"devlib": (3, 12)}


def require(module: str, extra: str) -> ModuleType:
    """Import ``module``, which the distribution's ``extra`` brings.

    Args:
        module: dotted name, such as ``ai_edge_litert.interpreter``.
        extra: the extra of edgekit that installs it, such as ``litert``.

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
        problem = f"{top} is not installed" if err.name == top else f"the installed {top} has no {err.name}"
        if top in _BELOW and sys.version_info >= _BELOW[top]:
            most = ".".join(str(part) for part in _BELOW[top])
            raise MissingExtra(
                f"{problem}, and cannot be on Python {platform.python_version()}: it needs one below {most}; "
                f"make an environment with such a Python and run there: pip install 'edgekit[{extra}]'"
            ) from err
        raise MissingExtra(f"{problem}; run: pip install 'edgekit[{extra}]'") from err
