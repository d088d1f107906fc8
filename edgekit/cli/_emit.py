"""How `edgekit tune` is asked for C, and says what it wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._output import note

if TYPE_CHECKING:
    from runtime.bundle import Bundle
    from runtime.choose.policy.policy import Policy
    from runtime.targets import Target


def emit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --emit and --output."""
    for option in (
        click.option("-o", "--output", "--out", "output", type=click.Path(path_type=Path), metavar="DIR",
                     help="Where --emit writes. Default: NAME-c beside the bundle."),
        click.option("--emit", type=click.Choice(["c"]),
                     help="Also write the decision as C, with a small governor for devices without Python."),
    ):  # fmt: skip
        command = option(command)
    return command


def emit_policy(
    kind: str | None, output: Path | None, bundle: Bundle, policy: Policy, target: Target
) -> None:
    """Write what --emit asked for, and say how it is built."""
    if kind is None:
        if output is not None:
            raise click.UsageError("--output needs --emit c")
        return
    from runtime.govern.compiled.emit import PROGRAM, emit_c

    folder = output or bundle.path.with_name(f"{bundle.path.stem}-c")
    emitted = emit_c(bundle, policy, target.profile, folder)
    note(f"{emitted.name}.h, {emitted.name}.c ({emitted.rows} rows) and {PROGRAM}'s sources are in {folder}.")
    note(f"Build for this machine: {emitted.build}; for 64-bit Arm: {emitted.build} CC=aarch64-linux-gnu-gcc")
