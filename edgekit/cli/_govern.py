"""What ``edgekit govern`` takes apart and prints."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli._output import note, print_table, say
from edgekit.cli._progress import Steps

if TYPE_CHECKING:
    from runtime.govern.governor import GovernedRun, GovernOptions
    from runtime.targets import TargetName


def split_words(words: Sequence[str]) -> tuple[Path | None, tuple[str, ...]]:
    """Return the bundle, if the first word is one, and the command."""
    if words and (Path(words[0]).suffix == ".edgekit" or Path(words[0]).is_dir()):
        return Path(words[0]), tuple(words[1:])
    return None, tuple(words)


def govern_on_target(
    target: TargetName,
    bundle: Path | None,
    command: Sequence[str],
    options: GovernOptions,
    flags: Sequence[str],
) -> int:
    """Run the same on a machine for which it is the local one, emulated or behind ssh; return its status."""
    if target.kind == "ssh":
        from runtime.govern.governor.remote import govern_remotely

        out, err = click.get_binary_stream("stdout"), click.get_binary_stream("stderr")
        return govern_remotely(bundle, command, options, flags, out=out, err=err)
    from runtime.device.child import module_command
    from runtime.device.emulation.launcher import emulate

    local = replace(options, target="local", called=options.target)
    words = local.command_line(None if bundle is None else str(bundle), command, flags)
    note(f"on an emulated {target.rest} ...")
    return emulate(target.rest, module_command("edgekit", *words))


@contextlib.contextmanager
def waiting_for_frames(command: Sequence[str]) -> Iterator[None]:
    """Say that frames of the bundle run, unless a command runs, which prints lines of its own."""
    with Steps(is_quiet=bool(command)) as steps:
        steps.wait_for("running frames of the bundle under the governor")
        yield


def print_governed(run: GovernedRun) -> None:
    """Print where frames ran, how many were late, and what it took."""
    if run.sessions:
        rows = [(setting, count, f"{count / run.frames:.0%}") for setting, count in run.frames_at.items()]
        print_table(("setting", "frames", "share"), rows)
        say()
    if run.sessions:
        untrusted = f"{run.untrusted_frames} at another clock than decided"
        say(f"Frames:  {run.frames}, {run.late_frames} late, {untrusted}")
    else:
        say(f"Frames:  none were reported; it ran at {run.setting or 'the kernel clock'}")
    say(f"Clocks:  {run.changes} changes in {run.duration_s:.1f} s ({run.provenance})")
    energy = "not known" if run.energy_mj is None else f"{run.energy_mj:.4g} mJ, start and end included"
    say(f"Energy:  {energy} ({run.energy_source})")
    if run.status:
        note(f"the command ended with status {run.status}")
