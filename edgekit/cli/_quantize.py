"""The options of quantisation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from runtime.bundle import PRECISIONS

_PATH = click.Path(path_type=Path)
_OPTIONS = (
    click.option(
        "--precision",
        "precisions",
        multiple=True,
        default=("fp32",),
        show_default=True,
        help=f"One of {', '.join(PRECISIONS)}; repeatable.",
    ),
    click.option("--calibration", type=_PATH, help="Images, or .npy of inputs, that show the ranges."),
    click.option("--validation", type=_PATH, help="Folder with labelled images, a sub-folder per class."),
    click.option("--max-drop", metavar="SHARE", help="Score (accuracy) that may be lost, as 1% or 0.01."),
    click.option("--int8-io", is_flag=True, help="Let static files take and give int8 instead of float."),
    click.option("--keep-float", multiple=True, metavar="MODULE", help="Module to keep float; repeatable."),
)


def quantize_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to ``command``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
