"""``edgekit web corpus``: a command per file."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli import LazyGroup

SECTIONS = {
    "Commands": {
        "fetch": "Fetch the pages that are not here yet.",
        "list": "List the pages that are here.",
        "add": "Add your own pages and addresses.",
        "check": "Measure how far the pages can be scrolled.",
    },
}
folder_option = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False),
    help="Where the pages are kept. Default: ~/.cache/edgekit/web.",
)  # fmt: skip


@click.group(cls=LazyGroup, package=__name__, sections=SECTIONS)
def corpus() -> None:
    """Real pages to measure: whole sites and documentation from packages, your own pages, addresses."""
