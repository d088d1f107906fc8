"""``edgekit govern``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options as options
from edgekit.cli._govern import govern_elsewhere, print_governed, scenes_of, split_words
from edgekit.cli._output import note, print_json

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[BUNDLE] [-- COMMAND...]")
@options.target_option
@click.option("--fps", type=float, default=None, help="Pace of the frames. Default: the policy's.")
@click.option("--late", type=options.Share(), help="Share of frames that may be late. [1%]")
@click.option("--max-temp-c", type=float, help="Give up settings of more power while it is hotter.")
@click.option("--scenes", is_flag=True, help="Learn how frames' work varies; speed up within long ones.")
@click.option("--waiting", type=int, help="With --scenes: finished frames that may wait. [0]")
@click.option("--late-price", type=float, help="Of a late frame, with --scenes: periods at full speed. [2]")
@click.option("--frames", type=click.IntRange(min=1), default=300, help="Of the bundle's own, to run. [300]")
@click.option("--serve", is_flag=True, help="Serve any program until stopped, instead of running one.")
@click.option("--socket", type=_FILE, help="Where to serve; default: beside the journal.")
@click.option("--policy-target", metavar="NAME", help="Follow the policy that was tuned for this target.")
@click.option("--log", type=_FILE, help="File to write each frame to, as JSON Lines.")
@click.option("--called", hidden=True, help="Name of this machine on the host that began the run.")
@options.meter_option
@options.table_options
@click.pass_context
def govern(ctx: click.Context, words: tuple[str, ...], serve: bool, as_json: bool, **given: Any) -> None:
    """Run COMMAND, or the bundle's own frames, at the cheapest setting that is in time.

    The command finds the governor by EDGEKIT_GOVERNOR and tells it of each frame (see
    runtime/govern/governor/client.py, one file to copy); one that does not runs at the policy's setting.
    Clocks and cores change while it runs, and are put back after.

    \b
    edgekit govern model.edgekit --fps 30 -- python camera.py
    edgekit govern model.edgekit --target emulated:gs101 --log frames.jsonl
    edgekit govern model.edgekit --target ssh:pi@board -- python3 camera.py
    edgekit govern --serve
    """
    from runtime.govern.governor.running import govern as run
    from runtime.govern.governor.running import serve as serve_all

    bundle, command = split_words(words)
    scenes = scenes_of(given)
    if given["target"].startswith(("emulated:", "ssh:")):
        there = given | {"called": None, "serve": serve, "json": as_json}
        ctx.exit(govern_elsewhere(there.pop("target"), bundle, command, there))
    given["scenes"] = scenes
    del given["waiting"], given["late_price"]
    if given["late"] is None:
        del given["late"]
    if serve:
        serve_all(bundle, tell=note, **{key: given[key] for key in given if key not in ("frames", "meter")})
        return
    result = run(bundle, command, tell=note, **{key: given[key] for key in given if key != "socket"})
    print_json(result) if as_json else print_governed(result)
    ctx.exit(result.status)
