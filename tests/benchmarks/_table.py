"""What every benchmark program prints and writes."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edgekit.cli._output import note, print_table
from runtime._version import __version__
from runtime.bundle import write_atomic

_PACKAGES = ("torch", "executorch", "litert-torch", "ai-edge-litert", "numpy", "scikit-learn")


def show(headers: dict[str, str], rows: Sequence[dict[str, Any]]) -> None:
    """Print ``rows``; ``headers`` maps each row's keys to the columns' titles."""
    print_table(list(headers.values()), [[row[key] for key in headers] for row in rows])


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Return ``row`` with one decimal to its figures, and a dash where there is none."""
    return {
        key: "-" if value is None else f"{value:.1f}" if isinstance(value, float) else value
        for key, value in row.items()
    }


def write_report(
    path: Path | None, name: str, rows: Sequence[dict[str, Any]], summary: dict[str, Any]
) -> None:
    """Write ``{"name", "machine", "versions", "rows", "summary"}`` to ``path``; ``None`` writes nothing."""
    if path is None:
        return
    document = {
        "name": name,
        "machine": f"{platform.machine()} {_cpu_model()}",
        "versions": _versions(),
        "rows": list(rows),
        "summary": summary,
    }
    encoded = msgspec.json.encode(document, enc_hook=np.generic.item)
    write_atomic(path.resolve(), msgspec.json.format(encoded, indent=1))
    note(f"written: {path}")


def _versions() -> dict[str, str]:
    found = {"edgekit": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "unknown"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
