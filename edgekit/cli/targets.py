"""``edgekit targets``."""

from __future__ import annotations

import click

from edgekit.cli._options import json_option
from edgekit.cli._output import note, print_json, print_table


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def targets(ctx: click.Context, as_json: bool) -> None:
    """List where bundles can run; show clusters and clocks.

    \b
    edgekit targets                 every target by name
    edgekit targets show sdm845     clocks, voltages and power, with their sources
    """
    if ctx.invoked_subcommand is not None:
        return
    from runtime.targets.overview import list_rows

    rows = list_rows()
    if as_json:
        print_json(rows)
        return
    columns = ("target", "what", "clusters", "latency", "power")
    print_table(columns, [(r.name, r.title, r.clusters, r.provenance, r.power) for r in rows])
    note("and machines of your own: ssh:user@host[:port]; adb:SERIAL (an Android phone, see `adb devices`)")


@targets.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show the clocks of NAME: a target, a SoC, or a TOML file of your own."""
    from runtime.targets.overview import find_profile, meter_lines, opp_rows

    profile = find_profile(name)
    if as_json:
        print_json(profile)
        return
    click.echo(f"{profile.title} ({profile.board})")
    for cluster in profile.clusters:
        cpus = ", ".join(str(cpu) for cpu in cluster.cpus)
        click.echo(f"{cluster.name}: {cluster.core}, cpus {cpus}; power: {cluster.power_source or '-'}")
    opps = opp_rows(profile)
    if opps:
        rows = [(o.cluster, o.freq_khz, o.voltage_mv, o.power_mw, o.capacity, o.how) for o in opps]
        print_table(("cluster", "kHz", "mV", "mW", "capacity", "power is"), rows)
    facts = (("meters", meter_lines(name)), ("sources", profile.sources), ("notes", profile.notes))
    for title, lines in facts:
        if lines:
            click.echo(f"{title}:\n" + "\n".join(f"  - {line}" for line in lines))
