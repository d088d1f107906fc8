"""``edgekit runner``."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from edgekit.cli._options import quiet_option
from edgekit.cli._output import note, say
from edgekit.cli._progress import Steps
from runtime.engines.native.libraries import ARCHES, VERSION


@click.command()
@click.option("--arch", type=click.Choice(ARCHES), help="Of the device; default: this machine's.")
@click.option(
    "--executorch",
    "wheel",
    type=click.Path(exists=True, path_type=Path),
    help=f"A wheel of executorch for that device; default: the one installed here, or {VERSION} from PyPI.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Copy it to this new folder, to put on a device."
)
@quiet_option
def runner(arch: str | None, wheel: Path | None, out: Path | None) -> None:
    """Build the native ExecuTorch runner, which needs neither torch nor Python.

    For Linux with glibc; Android needs ExecuTorch's own runner. Needs cmake and a C++ compiler, and for
    another architecture its cross compiler. On the device, point EDGEKIT_NATIVE_RUNNER at the folder.
    """
    from runtime.engines.native import build_for

    with Steps() as steps:
        steps.wait_for("building the runner with cmake")
        built = build_for(arch, wheel)
    place = built.folder
    if out is not None:
        if out.exists():
            raise ValueError(f"{out} exists already; give a new folder")
        place = Path(shutil.copytree(place, out))
    note(f"executorch {built.executorch} for {built.arch}, {built.size_bytes / 1e6:.1f} MB")
    say(place)
