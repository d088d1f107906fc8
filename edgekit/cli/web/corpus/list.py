"""``edgekit web corpus list``."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from edgekit.cli._options import table_options
from edgekit.cli._output import note, print_json, print_table
from edgekit.cli.web.corpus import folder_option


@click.command("list")
@click.argument("pattern", default="*")
@folder_option
@table_options
def list(pattern: str, folder: Path | None, as_json: bool) -> None:
    """List the pages that are here, and whose name or family fits PATTERN.

    \b
    Example:
      edgekit web corpus list 'news*'
    """
    from runtime.web.pages.corpus import corpus_folder, find_pages

    pages = find_pages(folder or corpus_folder(), pattern)
    if as_json:
        print_json(msgspec.to_builtins(pages, enc_hook=str))
        return
    rows = [
        (page.name, page.family, page.source, None if page.screens is None else f"{page.screens:.1f}")
        for page in pages
    ]
    print_table(("page", "family", "source", "screens to scroll"), rows, optional=("source",))
    note(f"{len(pages)} pages of {len({page.family for page in pages})} families")
