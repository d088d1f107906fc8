"""``edgekit web bench``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli import _options as options
from edgekit.cli._output import note, print_json
from edgekit.cli.web._findings import show_findings
from edgekit.cli.web._gesture_table import show_gestures
from edgekit.cli.web._gestures import GestureSteps, devtools_option, gestures_option

_COUNT = click.IntRange(min=1)


@click.command()
@click.argument("pages", metavar="PAGE...", nargs=-1, required=True)
@click.option("--target", "targets", multiple=True, default=("local",), show_default=True,
              help="Where: local, emulated:SOC or adb:SERIAL; repeatable.")  # fmt: skip
@gestures_option
@click.option("--fps", "rates", type=click.FloatRange(min=1), multiple=True,
              help="Frame rates to hold; repeatable. Default: the display's, and half of it.")  # fmt: skip
@click.option("--clocks", type=_COUNT, default=4, show_default=True, help="Of each cluster.")
@click.option("--duration-s", type=click.FloatRange(0.5, 120), default=5, show_default=True,
              help="Of a gesture, at least.")  # fmt: skip
@click.option("--runs", type=_COUNT, default=5, show_default=True, help="Of each gesture, at least.")
@click.option("--most-runs", type=_COUNT, default=10, show_default=True,
              help="Until the frame rate is known to +-5 %.")  # fmt: skip
@click.option("--details/--no-details", "with_details", default=True, show_default=True,
              help="One more run each, with Chrome's reports of dropped and delayed frames.")  # fmt: skip
@click.option("--filmstrip", "with_films", is_flag=True, help="And one of which pictures are kept.")
@click.option("--browser", type=click.Path(path_type=Path), help="Chromium or Chrome to use.")
@devtools_option
@options.seed_option
@click.option("--again", is_flag=True, help="Measure everything anew.")
@click.option("-o", "--out", "folder", type=click.Path(path_type=Path), default=Path("web-records"),
              show_default=True, help="Folder that keeps the records.")  # fmt: skip
@options.output_options
def bench(pages, targets, gestures, rates, folder, again, as_json, runs, most_runs, **plan) -> None:
    """Measure what gestures on a page show and cost, at each clock.

    PAGE is an address, or a saved page, which is served here and reaches no other host. Run it again to go
    on after an interruption.

    \b
    Example:
      edgekit web bench index.html --target emulated:sdm845 --target emulated:exynos5422
      edgekit web bench https://example.org --gesture scroll:900 --gesture pinch --json
    """
    from edgekit.api.web import WebPlan, web_bench

    with GestureSteps() as steps:
        records = web_bench(
            pages,
            targets,
            WebPlan(gestures, least_runs=runs, most_runs=max(runs, most_runs), rates=rates, **plan),
            folder=folder,
            again=again,
            on_record=steps.measured,
            on_step=steps.wait_for,
            on_message=note,
        )
    if as_json:
        print_json([record.to_dict() for record in records])
    else:
        show_gestures(records, rates)
        show_findings(records, folder)
    note(f"records: {folder}; see them: edgekit web report {folder}")
