"""``edgekit web corpus check``."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from edgekit.cli._options import output_options
from edgekit.cli._output import note, print_json, print_table
from edgekit.cli._progress import Steps
from edgekit.cli.web.corpus import folder_option


@click.command()
@click.argument("pattern", default="*")
@folder_option
@click.option("--browser", type=click.Path(path_type=Path), help="Chromium or Chrome to use.")
@output_options
def check(pattern: str, folder: Path | None, browser: Path | None, as_json: bool) -> None:
    """Open the pages whose name or family fits PATTERN and measure how far they can be scrolled.

    The figures of your own pages are kept. Exit status 3: a page does not load, has less than two
    screens to scroll, or is not as long as the index says.
    """
    from runtime.web.browser.chromium import Launch
    from runtime.web.pages.corpus import check_corpus, corpus_folder

    with Steps() as steps:
        results = check_corpus(folder or corpus_folder(), pattern, Launch(binary=browser), steps.wait_for)
    if as_json:
        print_json(msgspec.to_builtins(results, enc_hook=str))
    else:
        rows = [
            (
                row.page.name,
                None if row.screens is None else f"{row.screens:.1f}",
                None if row.room is None else row.room.scroller or "the page",
                row.fault or "ok",
            )
            for row in results
        ]
        print_table(("page", "screens to scroll", "scrolls", "state"), rows)
    bad = sum(bool(row.fault) for row in results)
    note(f"{len(results) - bad} of {len(results)} pages are fit to measure")
    if bad:
        raise SystemExit(3)
