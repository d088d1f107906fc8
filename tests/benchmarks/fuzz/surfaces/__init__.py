"""What reads files and messages of others, one function per surface."""

from __future__ import annotations

import importlib

_MODULES = (
    "bundles",
    "flows",
    "records",
    "predictors",
    "models",
    "arrays",
    "machines",
    "training",
    "lab",
    "wires",
    "workers",
    "governor",
    "native",
)


def load() -> None:
    """Register all surfaces."""
    for name in _MODULES:
        importlib.import_module(f"{__name__}.{name}")
