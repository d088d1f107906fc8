"""``edgekit govern``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options as options
from edgekit.cli._govern import govern_on_target, print_governed, split_words, waiting_for_frames
from edgekit.cli._output import note, print_json
from edgekit.cli._renamed import RenamedOptions

_FILE = click.Path(path_type=Path)
_OLD = {"--scenes": "--variable-load", "--waiting": "--max-queued", "--late-price": "--miss-penalty"}


@click.command(cls=RenamedOptions, old_names=_OLD)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[BUNDLE] [-- COMMAND...]")
@options.target_option
@click.option("--fps", type=float, default=None, help="Frames a second. Default: the policy's.")
@click.option("--late", type=options.Share(), help="Share of frames that may be late. [1%]")
@click.option("--max-temp-c", type=float, help="Give up settings of more power while it is hotter.")
@click.option(
    "--variable-load", is_flag=True, help="Frames vary in work: learn how, and speed up within long ones."
)
@click.option("--max-queued", type=int, help="With --variable-load: finished frames that may wait. [0]")
@click.option("--miss-penalty", type=float, help="With --variable-load: of a late frame, instead of --late.")
@click.option("--frames", type=click.IntRange(min=1), help="Of the bundle's own, to run. [300, or a minute]")
@click.option("--serve", is_flag=True, help="Serve any program until stopped, instead of running one.")
@click.option("--socket", type=_FILE, help="Where to serve. Default: beside the journal.")
@click.option("--policy-target", metavar="NAME", help="Follow the policy that was tuned for this target.")
@click.option("--log", type=_FILE, help="File to write each frame to, as JSON Lines.")
@click.option("--called", hidden=True, help="Name of this machine on the host that began the run.")
@options.meter_option
@options.table_options
@click.pass_context
def govern(ctx: click.Context, words: tuple[str, ...], serve: bool, as_json: bool, **given: Any) -> None:
    """Run COMMAND, or the bundle's own frames, at the cheapest setting that is in time.

    The command finds the governor by EDGEKIT_GOVERNOR and reports each frame to it (see
    runtime/govern/governor/client.py, one file to copy); one that does not runs at the policy's setting.
    Clocks and cores change while it runs, and are restored after.

    \b
    edgekit govern model.edgekit --fps 30 -- python camera.py
    edgekit govern model.edgekit --target emulated:gs101 --log frames.jsonl
    edgekit govern model.edgekit --target ssh:pi@board -- python3 camera.py
    edgekit govern --serve
    """
    from runtime.govern.governor import running
    from runtime.govern.governor.options import GovernOptions
    from runtime.targets import TargetName

    bundle, command = split_words(words)
    asked = GovernOptions(**given)
    target = TargetName.parse(asked.target)
    if target.kind in ("emulated", "ssh"):
        flags = [flag for flag, is_set in (("--serve", serve), ("--json", as_json)) if is_set]
        ctx.exit(govern_on_target(target, bundle, command, asked, flags))
    if serve:
        running.serve(bundle, asked, note)
        return
    with waiting_for_frames(command):
        result = running.govern(bundle, command, asked, note)
    print_json(result) if as_json else print_governed(result)
    ctx.exit(result.status)
