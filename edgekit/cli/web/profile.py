"""``edgekit web profile``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli import _options as options
from edgekit.cli._output import note, say
from edgekit.cli.web._gestures import GestureSteps, devtools_option, gestures_option

_COUNT = click.IntRange(min=1)


@click.command()
@click.argument("patterns", metavar="[PATTERN]...", nargs=-1)
@click.option(
    "--stress", is_flag=True, help="Pages that are expensive in known ways, too; alone: only those."
)
@click.option("--corpus", type=click.Path(path_type=Path), help="Folder of the corpus, if another.")
@click.option("--target", required=True, help="Where: local, emulated:SOC or adb:SERIAL.")
@gestures_option
@click.option("--settings", type=_COUNT, default=3, show_default=True,
              help="Of each page, beside the fastest one.")  # fmt: skip
@click.option("--runs", type=_COUNT, default=1, show_default=True, help="Of each gesture on each setting.")
@click.option("--duration-s", type=click.FloatRange(0.5, 120), default=5, show_default=True,
              help="Of a gesture, at least.")  # fmt: skip
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Begin no run later than this.")
@click.option("--browser", type=click.Path(path_type=Path), help="Chromium or Chrome to use.")
@devtools_option
@options.seed_option
@click.option("-o", "--out", "folder", type=click.Path(path_type=Path), default=Path("web-records"),
              show_default=True, help="Folder that keeps records and what pages are made of.")  # fmt: skip
@options.quiet_option
def profile(patterns, stress, corpus, target, folder, minutes, **plan) -> None:
    """Run gestures on many pages, each on settings of its own, and read what the pages are made of.

    PATTERN chooses pages of the corpus by name or family (default: all); see `edgekit web corpus`. Run it
    again to go on after an interruption. `edgekit fit --kind web` learns from what it writes.

    \b
    Example:
      edgekit web profile --stress --target emulated:exynos5422 --gesture scroll:900 --gesture pinch
      edgekit web profile 'uikit*' --target emulated:sdm845 --minutes 30
    """
    from edgekit.api.web_profile import ProfilePlan, stress_pages, web_profile
    from runtime.web.pages.corpus.pages import corpus_folder, find_pages

    pages = stress_pages(folder / "stress") if stress else []
    if patterns or not stress:
        where = corpus or corpus_folder()
        found = [page for pattern in patterns or ("*",) for page in find_pages(where, pattern)]
        pages += dict.fromkeys(found)
    most_s = None if minutes is None else 60 * minutes
    with GestureSteps() as steps:
        records, known = web_profile(
            pages,
            target,
            ProfilePlan(most_s=most_s, **plan),
            folder=folder,
            on_record=steps.measured,
            on_step=steps.wait_for,
            on_message=note,
        )
    say(f"learn from it: edgekit fit --kind web {records} --pages {known}")
