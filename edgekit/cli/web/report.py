"""``edgekit web report``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli import _options as options
from edgekit.cli._output import note, print_json, say
from edgekit.cli._progress import Steps


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("web-records"))
@click.option(
    "--fit",
    type=click.Path(path_type=Path),
    help="Folder of predictors (edgekit fit --kind web) to compare with what was measured.",
)
@click.option("--fps", "rates", type=click.FloatRange(min=1, max=1000), multiple=True,
              help="Frame rates to hold; repeatable. Default: the display's, and half of it.")  # fmt: skip
@click.option(
    "--page", "pages", multiple=True, metavar="NAME", help="Only this page, or * in it; repeatable."
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Default: FOLDER.html, beside the folder.")
@options.quiet_option
@options.json_option
def report(
    folder: Path, fit: Path | None, rates: tuple[float, ...], pages: tuple[str, ...], out: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Write what gestures showed and cost as one HTML file.

    FOLDER is what `edgekit web bench` or `edgekit web profile` wrote. The file holds everything it shows and
    loads nothing.

    \b
    Example:
      edgekit web report web-records -o report.html
      edgekit web report web-records --fit web-fit --page 'stress/*'
    """
    from edgekit.report.web import write_web_report

    to = out or folder.resolve().with_suffix(".html")
    with Steps() as steps:
        path = write_web_report(folder, to, fit=fit, rates=rates, pages=pages, on_step=steps.wait_for)
    note("report written; open it in a browser:")
    if as_json:
        print_json({"report": str(path)})
    else:
        say(path)
