"""``edgekit web features``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._options import quiet_option, table_options
from edgekit.cli._output import note, print_json, print_table, say
from edgekit.cli._progress import Steps
from edgekit.cli.web._findings import show_listeners


@click.command()
@click.argument("page", metavar="PAGE")
@click.option(
    "--probe-ms", type=click.FloatRange(min=0, min_open=True), metavar="MS",
    help="Time for reading; the groups worth most per ms come first. Default: all groups.",
)  # fmt: skip
@click.option(
    "--screens", type=click.IntRange(min=1), default=3, show_default=True,
    help="How many screens of the page count as seen.",
)  # fmt: skip
@click.option("--browser", type=click.Path(path_type=Path), help="Chromium or Chrome to use.")
@click.option("--all", "show_all", is_flag=True, help="Print features that are 0, too.")
@quiet_option
@table_options
def features(page, probe_ms, screens, browser, show_all, as_json) -> None:
    """Read what a page is made of, and what a short scroll makes it do.

    Groups: counters, elements, style rules, matches of their selectors, what is expensive to paint,
    listeners, pictures, and a probe: a quarter of a second of scrolling. Without --probe-ms two more scrolls
    tell which functions of the page they wake, and what each takes of a frame.

    \b
    Example:
      edgekit web features saved/index.html
      edgekit web features https://example.org --probe-ms 100 --json
    """
    from runtime.web.browser.chromium import Launch
    from runtime.web.pages.visit import read_place

    with Steps() as steps:
        steps.wait_for(f"reading {page}")
        found = read_place(page, Launch(binary=browser), budget_ms=probe_ms, screens=screens)
    for remark in found.notes:
        note(remark)
    if as_json:
        print_json(found)
        return
    rows = [(name, f"{value:.5g}") for name, value in found.values.items() if value or show_all]
    print_table(("feature", "value"), rows)
    say()
    print_table(("group", "took, ms"), [(name, f"{cost:.1f}") for name, cost in found.cost_ms.items()])
    if found.painted:
        say()
        boxes = [(each.kind, each.owner, each.count, f"{each.area:.2f}") for each in found.painted]
        print_table(("expensive to draw", "on", "boxes", "screens"), boxes)
    show_listeners(found.listeners)
    say(f"scrolls: {found.scroller}")
