"""``edgekit report``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._options import bundle_argument, json_option, out_option
from edgekit.cli._output import note, print_json, say


@click.command()
@bundle_argument
@out_option
@click.option("--target", default=None, help="Report on this target only. Default: on all there are.")
@click.option(
    "--timeline",
    "timelines",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Log of `edgekit govern --log` to draw over time; repeatable.",
)
@click.option(
    "--picture",
    "pictures",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Picture of a result, as `edgekit run -o parsed.png` saves it; repeatable.",
)
@json_option
def report(
    bundle: Path, out: Path | None, target: str | None, timelines: tuple[Path, ...],
    pictures: tuple[Path, ...], as_json: bool,
) -> None:  # fmt: skip
    """Write a bundle's results as one HTML file.

    The file holds everything it shows and loads nothing. What is missing from the bundle is named
    with the command that makes it. Without --out the file lies beside the bundle.
    """
    from edgekit.report import write_report
    from runtime.bundle import Bundle

    opened = Bundle.open(bundle)
    path = write_report(opened, out or bundle.resolve().with_suffix(".html"), target, timelines, pictures)
    note("report written; open it in a browser:")
    if as_json:
        print_json({"report": str(path)})
    else:
        say(path)
