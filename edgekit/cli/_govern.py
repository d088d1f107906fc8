"""What ``edgekit govern`` takes apart and prints."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli._output import note, print_table

if TYPE_CHECKING:
    from runtime.governing import GovernedRun


def split_words(words: Sequence[str]) -> tuple[Path | None, tuple[str, ...]]:
    """Return the bundle, if the first word is one, and the command."""
    if words and (Path(words[0]).suffix == ".edgekit" or Path(words[0]).is_dir()):
        return Path(words[0]), tuple(words[1:])
    return None, tuple(words)


def govern_inside(
    soc: str,
    bundle: Path | None,
    command: Sequence[str],
    given: Mapping[str, object],
    flags: Iterable[str],
) -> int:
    """Run the same on the emulated ``soc``, inside of which it is the local machine; return its status."""
    from runtime.emulation.launcher import emulate

    options = [f"--{name.replace('_', '-')}={value}" for name, value in given.items() if value is not None]
    options += [f"--{flag}" for flag in flags]
    words = [*([str(bundle)] if bundle else []), *(["--", *command] if command else [])]
    note(f"on an emulated {soc} ...")
    return emulate(soc, [sys.executable, "-m", "edgekit", "govern", "--target=local", *options, *words])


def print_governed(run: GovernedRun) -> None:
    """Print where frames ran, how many were late, and what it took."""
    if run.sessions:
        rows = [(setting, count, f"{count / run.frames:.0%}") for setting, count in run.frames_at.items()]
        print_table(("setting", "frames", "share"), rows)
        click.echo()
    if run.sessions:
        odd = f"{run.untrusted_frames} at another clock than decided"
        click.echo(f"Frames:  {run.frames}, {run.late_frames} late, {odd}")
    else:
        click.echo(f"Frames:  none were reported; it ran at {run.setting or 'the kernel clock'}")
    click.echo(f"Clocks:  {run.changes} changes in {run.duration_s:.1f} s ({run.provenance})")
    energy = "not known" if run.energy_mj is None else f"{run.energy_mj:.4g} mJ, start and end included"
    click.echo(f"Energy:  {energy} ({run.energy_source})")
    if run.status:
        note(f"the command ended with status {run.status}")
