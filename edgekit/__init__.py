"""edgekit from Python: export a live model, load, run, bench and tune its bundle, measure and govern.

    import edgekit

    bundle = edgekit.export(model, example_inputs, "seg.edgekit")
    bundle.run("cat.png").top(5)
    records = edgekit.bench(bundle, target="local", threads=[1, 2])
    policy = edgekit.tune(bundle, target="local", fps=30)

Names are imported when they are first used: ``import edgekit`` loads no torch. See docs/python.md.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from edgekit._siblings import prefer_siblings

prefer_siblings()

from runtime._version import __version__  # noqa: E402

if TYPE_CHECKING:
    from edgekit.api.bench import Records, bench
    from edgekit.api.bundle import Bundle, load
    from edgekit.api.export import export
    from edgekit.api.govern import govern
    from edgekit.api.measure import Measurement, measure
    from edgekit.api.outputs import Outputs
    from edgekit.api.tune import tune
    from edgekit.export.preprocess import Preprocess

__all__ = [
    "Bundle",
    "Measurement",
    "Outputs",
    "Preprocess",
    "Records",
    "__version__",
    "bench",
    "export",
    "govern",
    "load",
    "measure",
    "tune",
]

_HOMES = {
    "Bundle": "edgekit.api.bundle",
    "Measurement": "edgekit.api.measure",
    "Outputs": "edgekit.api.outputs",
    "Preprocess": "edgekit.export.preprocess",
    "Records": "edgekit.api.bench",
    "bench": "edgekit.api.bench",
    "govern": "edgekit.api.govern",
    "load": "edgekit.api.bundle",
    "measure": "edgekit.api.measure",
    "tune": "edgekit.api.tune",
}


def __getattr__(name: str) -> Any:
    if name in ("export", "Preprocess"):
        importlib.import_module("runtime.extras").require("torch", extra="executorch")
    if name == "export":
        return importlib.import_module("edgekit.export")
    if name not in _HOMES:
        raise AttributeError(f"module 'edgekit' has no attribute {name!r}; it has {', '.join(__all__)}")
    found = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = found  # so that this is asked once
    return found


def __dir__() -> list[str]:
    return sorted(__all__)


class _CallablePackage(ModuleType):
    """``edgekit.export``, a package that can be called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Export a model to a bundle: see ``edgekit.api.export.export``."""
        return self._function(*args, **kwargs)

    @property
    def __signature__(self) -> Any:
        return importlib.import_module("inspect").signature(self._function)

    @property
    def _function(self) -> Any:
        return importlib.import_module("edgekit.api.export").export


class _Edgekit(ModuleType):
    """This package, where ``export`` is a package and a function.

    Importing anything of ``edgekit.export`` makes Python set the attribute ``edgekit.export`` to that
    package, over whatever stood there. So the package itself has to be what is called, and it becomes
    so here, whichever is imported first.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name == "export" and isinstance(value, ModuleType):
            value.__class__ = _CallablePackage
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Edgekit
