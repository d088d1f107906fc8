"""``edgekit web stress``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._options import table_options
from edgekit.cli._output import note, print_json, print_table


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--kind", "kinds", metavar="NAME", multiple=True, help="Only this kind; repeatable.")
@click.option(
    "--strength", "strengths", type=float, multiple=True, metavar="TIMES",
    help="How much of what is expensive; repeatable. Default: 1 and 3.",
)  # fmt: skip
@table_options
def stress(folder: Path, kinds: tuple[str, ...], strengths: tuple[float, ...], as_json: bool) -> None:
    """Write pages into FOLDER that are expensive to scroll, each in one known way.

    They are the same on every machine. Add them to the corpus with edgekit web corpus add.

    \b
    Example:
      edgekit web stress stress-pages
      edgekit web stress stress-pages --kind blur --strength 1 --strength 4
    """
    from runtime.web.pages.stress import STRENGTHS, make_pages, write_pages

    pages = make_pages(strengths or STRENGTHS, kinds or None)
    written = write_pages(folder, pages)
    if as_json:
        print_json([{"name": page.name, "kind": page.kind, "strength": page.strength} for page in pages])
        return
    rows = [(page.name, f"{page.strength:g}", page.label) for page in pages]
    print_table(("page", "strength", "what is expensive"), rows)
    note(f"{len(pages)} pages in {written.parent}, labels in {written.name}")
