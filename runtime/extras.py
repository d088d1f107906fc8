"""Import optional packages, or say exactly what to install."""

from __future__ import annotations

import importlib
from types import ModuleType

from runtime.errors import MissingExtra


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
        raise MissingExtra(f"{problem}; run: pip install 'edgekit[{extra}]'") from err
