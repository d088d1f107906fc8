"""``edgekit doctor``."""

from __future__ import annotations

import click

from edgekit.cli._options import json_option, quiet_option
from edgekit.cli._output import print_json, terminal_columns
from edgekit.cli._progress import Steps
from runtime.visible import one_line


@click.command()
@quiet_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Say what this machine has, lacks and may do.

    Looks at packages, extras, engines, clocks, meters, privileges and programs; changes nothing.
    Exits with 1 only when edgekit cannot work here at all.
    """
    from edgekit.doctor import examine
    from edgekit.doctor.text import render

    with Steps() as steps:
        steps.wait_for("looking at packages, meters and clocks, and loading the engines")
        diagnosis = examine()
    if as_json:
        print_json(diagnosis)
    else:
        paint = lambda text, colour: click.style(text, fg=colour)  # noqa: E731
        click.echo(render(diagnosis, paint, terminal_columns(), one_line))
    ctx.exit(1 if diagnosis.is_broken else 0)
