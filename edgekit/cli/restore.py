"""``edgekit restore``."""

from __future__ import annotations

import click

from edgekit.cli._options import table_options, target_option
from edgekit.cli._output import note, print_json, print_table


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be restored.")
@target_option
@table_options
def restore(dry_run: bool, target: str, as_json: bool) -> None:
    """Restore what a killed run left changed on a machine.

    Every run notes the governor and clock limits before it changes them, and restores them when
    it ends, is interrupted or fails. Only one that was killed outright needs this.

    \b
    Example:
      edgekit restore --dry-run
      edgekit restore --target adb:SERIAL
    """
    from runtime.targets.restoring import restore_target

    done = restore_target(target, dry_run=dry_run)
    if as_json:
        print_json(done)
    elif done:
        print_table(
            ("what", "back to", "action"),
            [(" ".join(filter(None, (d.device, d.state.thing))), d.state.text, d.action) for d in done],
        )
    else:
        note("nothing to restore")
