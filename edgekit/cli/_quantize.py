"""The options of quantisation, and how they become the library's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runtime.bundle import PRECISIONS

if TYPE_CHECKING:
    from edgekit.export import Origin, QuantizeOptions

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
    click.option("--max-drop", metavar="SHARE", help="Accuracy that may be lost, as 1% or 0.01."),
    click.option("--int8-io", is_flag=True, help="Let static files take and give int8 instead of float."),
    click.option("--keep-float", multiple=True, metavar="MODULE", help="Module to keep float; repeatable."),
)


def quantize_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to ``command``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_options(settings: dict[str, Any], origin: Origin, data_root: Path | None) -> QuantizeOptions | None:
    """Take what is of quantisation, but for the precisions, out of ``settings`` and return it.

    ``None`` when nothing is quantised.

    Raises:
        ValueError: an option of quantisation is given although nothing is quantised, or makes no sense.
        DataError: images cannot be read or do not fit.
    """
    from edgekit.export.quantize import QuantizeOptions, find_calibration, find_validation, read_share

    names = ("calibration", "validation", "max_drop", "keep_float", "int8_io")
    given = {name: settings.pop(name) for name in names}
    if all(precision == "fp32" for precision in settings["precisions"]):
        if any(given.values()):
            raise ValueError(
                "--calibration, --validation, --max-drop, --keep-float and --int8-io are for quantisation; "
                "add --precision static_wi8_ai8 or --precision dynamic_wi8_afp32"
            )
        return None
    return QuantizeOptions(
        calibration=find_calibration(origin, given["calibration"], data_root),
        validation=find_validation(origin, given["validation"], data_root),
        max_drop=read_share(given["max_drop"]),
        keep_float=given["keep_float"],
        int8_io=given["int8_io"],
    )
