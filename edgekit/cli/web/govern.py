"""``edgekit web govern``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options as options
from edgekit.cli._output import note

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("page", required=False)
@click.option("--cdp", metavar="URL", help="Govern a browser that runs already; without PAGE what it shows.")
@click.option("--target", default="local", show_default=True, help="Where: local or emulated:SOC.")
@click.option(
    "--fps", type=float, help="Frames a second that gestures are to have. Default: as many as the display."
)
@click.option(
    "--of", "by_kind", multiple=True, metavar="KIND=FPS", help="The same of scroll, fling or pinch alone."
)
@click.option("--accept", metavar="users|FILE", help="At most what is accepted: by users (32 where images "
              "are, 23 for text), or by you (FILE of edgekit web calibrate).")  # fmt: skip
@click.option("--margin", default=0.1, show_default=True, help="Share of the frames to have in reserve.")
@click.option("--refresh-hz", default=60.0, show_default=True, help="Of the display.")
@click.option(
    "--learnt", type=_FILE, metavar="FOLDER", help="Predictors of edgekit fit --kind web to begin with."
)
@click.option("--learnt-on", metavar="TARGET", help="Where they were learnt. Default: the target.")
@click.option("--log", type=_FILE, help="File to add records of gestures to, for edgekit fit --log.")
@click.option("--seconds", type=click.FloatRange(min=0), help="End after so long. Default: with the page.")
@click.option("--browser", type=_FILE, help="Program to start.")
@click.option("--window", is_flag=True, help="Start the browser with a window.")
@click.option("--try", "tried", multiple=True, metavar="GESTURE",
              help="Do it, left to the kernel and governed, show both, and end; repeatable.")  # fmt: skip
@click.option("-o", "--out", type=_FILE, default="web-records", help="Folder that keeps what was tried.")
@click.option("--json", "as_json", is_flag=True, help="Print each gesture as a line of JSON.")
@options.wide_option
@click.pass_context
def govern(ctx: click.Context, target: str, **given: Any) -> None:
    """Run a live page's gestures at the cheapest setting that keeps their frames.

    The page's renderer and the GPU process move to one core, whose clock is set as a gesture begins, by its
    speed; between two gestures they wait at the slowest setting, and pages load at the fastest. Clocks and
    cores are restored after. PAGE is an address, a saved page, or the name of a page of the corpus.

    \b
    edgekit web govern https://example.org --window --fps 60 --of pinch=45
    edgekit web govern --cdp http://127.0.0.1:9222 --accept users
    edgekit web govern saved/index.html --target emulated:exynos5422 --fps 30 --try scroll:1800
    """
    from edgekit.cli.web._govern import govern_here, govern_inside
    from runtime.targets import TargetName

    parsed = TargetName.parse(target)
    if parsed.kind == "emulated":
        note(f"on an emulated {parsed.rest} ...")
        ctx.exit(govern_inside(parsed.rest, given))
    if parsed.kind != "local":
        raise click.UsageError(f"{target} cannot be governed from here; run this command on it")
    govern_here(**given)
