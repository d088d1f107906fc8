"""``edgekit push``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options as options
from edgekit.cli._output import print_json, say
from edgekit.cli._progress import Steps


@click.command()
@options.bundle_argument
@click.option("--target", required=True, help="Device: ssh:user@host, ssh:user@host:port or ssh:NAME.")
@click.option(
    "--engine", "engines", multiple=True, help="Engine to install; repeatable. Default: the bundle's."
)
@click.option("--offline", is_flag=True, help="The device has no internet: send every wheel from here.")
@click.option(
    "--python",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="Standalone Python for a device whose own is too old: .tar.gz or folder.",
)
@options.quiet_option
@options.json_option
def push(bundle: Path, target: str, engines: tuple[str, ...], as_json: bool, **how: Any) -> None:
    """Put a bundle and the light runtime on a device.

    After it, bench, run and tune take the same --target. LiteRT comes as a package; for ExecuTorch the
    native runner is built here, which for another architecture takes its cross compiler. Files that the
    device has are not sent again, and an interrupted transfer goes on where it stopped. ssh keys, ports
    and jump hosts come from ~/.ssh/config; the host's key must be in known_hosts.

    The device needs Python 3.10 to 3.13. One with an older Python, or none, gets its own with --python: an
    install_only .tar.gz of python-build-standalone, or the folder that `uv python install` makes.

    \b
    Example:
      edgekit push model.edgekit --target ssh:pi@board
      edgekit bench model.edgekit --target ssh:pi@board
    """
    from edgekit.push import push as put
    from runtime.engines.model_file import open_bundle_or_model

    model = open_bundle_or_model(bundle)
    with Steps() as steps:

        def sent(name: str, done_bytes: int, total_bytes: int) -> None:
            steps.goes_on(f"sending {name}, {done_bytes / 1e6:.1f} of {total_bytes / 1e6:.1f} MB")
            if done_bytes == total_bytes and total_bytes > 1e6:
                steps.done(f"sent {name} ({total_bytes / 1e6:.1f} MB)")

        pushed = put(model, target, engines=engines, progress=sent, on_step=steps, **how)
    if as_json:
        print_json(pushed)
        return
    remote, engines = pushed.runtime, pushed.runtime.engines
    size = "unchanged" if remote.was_there else f"installed, {remote.size_mb} MB"
    say(f"runtime: {size} (engines: {', '.join(engines) or 'none'}; {remote.python})")
    say(f"bundle:  {pushed.bundle or 'a bare model file, kept by its sha256'}")
    say(f"sent:    {len(pushed.sent)} files, {pushed.sent_bytes / 1e6:.1f} MB")
