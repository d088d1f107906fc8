"""What ``edgekit govern`` takes apart and prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._output import note, print_table

if TYPE_CHECKING:
    from runtime.govern.governor import GovernedRun
    from runtime.govern.governor.scenes import Scenes


def split_words(words: Sequence[str]) -> tuple[Path | None, tuple[str, ...]]:
    """Return the bundle, if the first word is one, and the command."""
    if words and (Path(words[0]).suffix == ".edgekit" or Path(words[0]).is_dir()):
        return Path(words[0]), tuple(words[1:])
    return None, tuple(words)


def scenes_of(given: Mapping[str, Any]) -> Scenes | None:
    """Return how options ask for frames of varying work to be governed, ``None`` where they do not.

    Raises:
        click.UsageError: options that do not go together.
    """
    from runtime.govern.governor.scenes import Scenes

    if given["scenes"]:
        if given["late"] is not None:
            raise click.UsageError(
                "--late is not for --scenes: there --late-price says how bad a late frame is"
            )
        return Scenes(given["waiting"] or 0, given["late_price"])
    if given["waiting"] is not None or given["late_price"] is not None:
        raise click.UsageError("--waiting and --late-price need --scenes")
    return None


def govern_elsewhere(
    target: str, bundle: Path | None, command: Sequence[str], given: Mapping[str, object]
) -> int:
    """Run the same on a machine for which it is the local one, emulated or behind ssh; return its status."""
    kind, _, soc = target.partition(":")
    if kind == "ssh":
        from runtime.govern.governor.remote import govern_there

        streams = {"out": click.get_binary_stream("stdout"), "err": click.get_binary_stream("stderr")}
        here = {name: given[name] for name in ("policy_target", "log")}
        options = _options({name: value for name, value in given.items() if name not in here})
        return govern_there(target, bundle, command, options, **here, **streams)  # type: ignore[arg-type]
    from runtime.device.child import module_command
    from runtime.device.emulation.launcher import emulate

    words = [*([str(bundle)] if bundle else []), *(["--", *command] if command else [])]
    options = [*_options(given), f"--called={target}"]
    note(f"on an emulated {soc} ...")
    return emulate(soc, module_command("edgekit", "govern", "--target=local", *options, *words))


def _options(given: Mapping[str, object]) -> list[str]:
    """Return options as a command line has them."""
    words = {f"--{name.replace('_', '-')}": value for name, value in given.items()}
    return [
        name if value is True else f"{name}={value}"
        for name, value in words.items()
        if value is not None and value is not False
    ]


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
