"""The options of quantisation, and how they become the library's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edgekit.export import Origin, QuantizeOptions

_PATH = click.Path(path_type=Path)
_OPTIONS = (
    click.option("--calibration", type=_PATH, help="Images, or .npy of inputs, that show the ranges."),
    click.option("--validation", type=_PATH, help="Folder with labelled images, a sub-folder per class."),
    click.option("--max-drop", metavar="SHARE", help="Accuracy that may be lost, as 1% or 0.01."),
    click.option("--keep-float", multiple=True, metavar="MODULE", help="Module to keep float; repeatable."),
)


def quantize_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to ``command``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def find_options(
    origin: Origin,
    precisions: Sequence[str],
    data_root: Path | None,
    *,
    calibration: Path | None,
    validation: Path | None,
    max_drop: str | None,
    keep_float: tuple[str, ...],
) -> QuantizeOptions | None:
    """Return the library's options; ``None`` when nothing is quantised.

    Raises:
        ValueError: an option of quantisation is given although nothing is quantised, or makes no sense.
        DataError: images cannot be read or do not fit.
    """
    from edgekit.export.quantize import QuantizeOptions, find_calibration, find_validation, read_share

    if all(precision == "fp32" for precision in precisions):
        if calibration or validation or max_drop or keep_float:
            raise ValueError(
                "--calibration, --validation, --max-drop and --keep-float are for quantisation; "
                "add --precision static_wi8_ai8 or --precision dynamic_wi8_afp32"
            )
        return None
    return QuantizeOptions(
        calibration=find_calibration(origin, calibration, data_root),
        validation=find_validation(origin, validation, data_root),
        max_drop=read_share(max_drop),
        keep_float=keep_float,
    )
