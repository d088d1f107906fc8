"""``edgekit emulate``."""

from __future__ import annotations

import os

import click


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("soc")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def emulate(ctx: click.Context, soc: str, command: tuple[str, ...]) -> None:
    """Run COMMAND, by default a shell, on a phone played by this machine.

    Inside, /sys shows the clusters, clocks, battery and meters of SOC, and setting a clock really slows
    the core down. Linux and root only; nothing of this machine is changed. `edgekit targets` lists
    the SoCs.

    \b
    Example:
      edgekit emulate gs101
      edgekit emulate gs101 -- edgekit bench model.edgekit --target local
    """
    from runtime.device.emulation.launcher import emulate as run

    if command[:1] == ("--",):  # click leaves it in where the command's own options are not to be parsed
        command = command[1:]
    ctx.exit(run(soc, command or [os.environ.get("SHELL", "/bin/sh")]))
