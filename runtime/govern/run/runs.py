"""The last run on each target, kept beside the bundle's records so that a report can show it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from runtime.bundle import Bundle, decode_file, write_atomic
from runtime.bundle.names import slug
from runtime.errors import DataError
from runtime.govern.run.run import RunResult
from runtime.measure.records import OLD_NAMES


def run_path(bundle: Bundle, target: str) -> Path:
    """Return where the last run on ``target`` lies; like records it is not in the manifest."""
    return bundle.path / "runs" / f"{slug(target)}.json"


def save_run(bundle: Bundle, result: RunResult) -> Path:
    """Keep ``result`` as the last run on its target and return where it lies.

    Raises:
        DataError: the bundle's folder cannot be written.
    """
    path = run_path(bundle, result.target)
    try:
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, msgspec.json.format(msgspec.json.encode(result), indent=1))
    except OSError as err:
        why = f"{path} cannot be written ({err.strerror})"
        raise DataError(f"{why}; copy the bundle to where you may write") from err
    return path


def load_run(bundle: Bundle, target: str) -> RunResult | None:
    """Return the last run on ``target``, or ``None`` when there was none.

    Raises:
        BundleError: the file does not fit its schema.
    """
    path = run_path(bundle, target)
    return decode_file(path, RunResult, OLD_NAMES) if path.is_file() else None
