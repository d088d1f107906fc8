"""A picture of whatever is given: a tuned bundle's frontier, or the timeline of a governed run."""

from __future__ import annotations

import os
from pathlib import Path

from edgekit.report.frontier_figure import write_frontier
from edgekit.report.timeline_figure import write_timeline
from runtime.bundle import Bundle
from runtime.choose.policy.policy import load_policy
from runtime.errors import DataError
from runtime.measure.frame_log import read_log


def write_picture(
    source: str | os.PathLike[str], out: str | os.PathLike[str] | None = None, target: str = "local"
) -> Path:
    """Draw ``source``, a bundle or the log of a governed run, and return the picture's path.

    Args:
        out: a ``.png`` or ``.svg`` file; by default a PNG beside ``source``.
        target: of a bundle, the target whose policy is drawn.

    Raises:
        DataError: there is no ``source``, it is neither, or ``out`` cannot be written.
        NotFittedError: the bundle has no policy for ``target``.
        ValueError: ``out`` has another ending, or there is nothing to draw.
    """
    path = Path(source)
    if not path.exists():
        raise DataError(f"there is no {path}; give a bundle, or what edgekit govern --log wrote")
    to = Path(out) if out is not None else path.resolve().with_suffix(".png")
    if path.is_dir():
        return write_frontier(load_policy(Bundle.open(path), target), to)
    return write_timeline(*read_log(path), to)
