"""``edgekit doctor``."""

from __future__ import annotations

import click

from edgekit.cli._options import json_option
from edgekit.cli._output import note, print_json


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Say what this machine has, lacks and may do.

    Looks at packages, extras, engines, clocks, meters, privileges and programs; changes nothing.
    Exits with 1 only when edgekit cannot work here at all.
    """
    from edgekit.doctor import examine
    from edgekit.doctor.text import render

    note("looking at this machine (the engines take some seconds) ...")
    diagnosis = examine()
    if as_json:
        print_json(diagnosis)
    else:
        click.echo(render(diagnosis, lambda text, colour: click.style(text, fg=colour)))
    ctx.exit(1 if diagnosis.is_broken else 0)
