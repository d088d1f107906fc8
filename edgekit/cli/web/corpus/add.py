"""``edgekit web corpus add``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._output import note, say
from edgekit.cli.web.corpus import folder_option


@click.command()
@click.argument("places", metavar="PATH_OR_URL...", nargs=-1)
@click.option(
    "--urls", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File of addresses, one a line.",
)  # fmt: skip
@folder_option
def add(places: tuple[str, ...], urls: Path | None, folder: Path | None) -> None:
    """Add saved pages, folders of them, and addresses to the corpus.

    Files stay where they are. Pages of one folder, or of one host, count as one template family.

    \b
    Example:
      edgekit web corpus add saved/ https://example.org
      edgekit web corpus add --urls shop.txt
    """
    from runtime.web.pages.corpus import add_own, corpus_folder, read_addresses

    if not places and urls is None:
        raise click.UsageError(
            "nothing to add: give saved pages, folders of them or addresses, or --urls FILE"
        )
    added = add_own(folder or corpus_folder(), [*places, *(read_addresses(urls) if urls else ())])
    for page in added:
        say(page.name)
    note(f"{len(added)} pages added; edgekit web corpus check 'own/*' says how far they can be scrolled")
