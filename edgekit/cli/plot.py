"""``edgekit plot``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._options import json_option, out_option, target_option
from edgekit.cli._output import note, print_json, say


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@target_option
@out_option
@json_option
def plot(source: Path, target: str, out: Path | None, as_json: bool) -> None:
    """Draw a tuned bundle's frontier, or a governed run over time.

    SOURCE is a bundle, of which the policy for --target is drawn: energy over frame rate of
    every setting. Or it is what `edgekit govern --log` wrote: latency with misses, frames per
    second, clock and power. Without --out a PNG is written beside it; .svg works too.
    """
    from edgekit.report import write_picture

    path = write_picture(source, out, target)
    note("plot written:")
    if as_json:
        print_json({"plot": str(path)})
    else:
        say(path)
