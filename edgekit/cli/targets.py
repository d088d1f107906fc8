"""``edgekit targets``."""

from __future__ import annotations

import click

from edgekit.cli._options import table_options
from edgekit.cli._output import note, print_json, print_table, say
from runtime.visible import one_line


@click.group(invoke_without_command=True)
@table_options
@click.pass_context
def targets(ctx: click.Context, as_json: bool) -> None:
    """List where bundles can run; show clusters and clocks.

    \b
    Example:
      edgekit targets                 every target by name
      edgekit targets show sdm845     clocks, voltages and power, with sources
    """
    if ctx.invoked_subcommand is not None:
        return
    from runtime.targets.overview import list_rows

    rows = list_rows()
    if as_json:
        print_json(rows)
        return
    shown = [row for row in rows if row.provenance != "emulated"]  # those repeat the virtual ones
    print_table(
        ("target", "what", "cluster, cores, GHz", "power", "latency"),
        [(r.name, r.title, _cluster_lines(r.clusters), r.power, r.provenance) for r in shown],
        optional=("latency", "power"),
    )
    note("each virtual:SOC is also there as emulated:SOC, played by slowed cores of this machine")
    note("machines of your own: ssh:user@host[:port]; adb:SERIAL (an Android phone, see `adb devices`)")


def _cluster_lines(text: str) -> tuple[str, ...]:
    return tuple(line.removesuffix(" GHz") for line in text.split(", "))


@targets.command()
@click.argument("name")
@table_options
def show(name: str, as_json: bool) -> None:
    """Show the clocks of NAME: a target, a SoC, or a TOML file of your own."""
    from runtime.targets.overview import find_profile, meter_lines, opp_rows

    profile = find_profile(name)
    if as_json:
        print_json(profile)
        return
    say(one_line(f"{profile.title} ({profile.board})"))
    clusters = [
        (cluster.name, cluster.core, ", ".join(map(str, cluster.cpus)), cluster.power_source)
        for cluster in profile.clusters
    ]
    print_table(("cluster", "core", "cpus", "power from"), clusters)
    say()
    opps = opp_rows(profile)
    if opps:
        rows = [(o.cluster, o.freq_khz, o.voltage_mv, o.power_mw, o.capacity, o.how) for o in opps]
        print_table(("cluster", "kHz", "mV", "mW", "capacity", "power is"), rows)
    facts = (("meters", meter_lines(name)), ("sources", profile.sources), ("notes", profile.notes))
    for title, lines in facts:
        if lines:
            say(f"{title}:\n" + "\n".join(f"  - {one_line(line)}" for line in lines))
