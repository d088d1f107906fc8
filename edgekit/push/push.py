"""Put edgekit and a bundle on a device."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgekit.push.blame import explain
from edgekit.push.install import ENGINES, Installed, install
from runtime.bundle import Bundle
from runtime.bundle.manifest import MANIFEST
from runtime.engines.model_file import ModelFile
from runtime.errors import DeviceError, DeviceStableError
from runtime.targets import TargetName
from runtime.targets.ssh.device_bundle import folder_of, send_manifest
from runtime.targets.ssh.device_files import DeviceFiles, Progress
from runtime.targets.ssh.target import reach


@dataclass(frozen=True)
class Pushed:
    """What is on the device now, and what of it had to be sent."""

    target: str
    bundle: str | None
    runtime: Installed
    sent: tuple[str, ...]
    sent_bytes: int


def push(
    bundle: Bundle,
    target: str,
    *,
    engines: tuple[str, ...] = (),
    offline: bool = False,
    python: Path | None = None,
    progress: Progress | None = None,
    on_step: Callable[[str], None] = lambda text: None,
) -> Pushed:
    """Put the light runtime and ``bundle`` on ``target``; what is there already is not sent again.

    Args:
        target: ``ssh:user@host:port``.
        engines: to install; default: those of the bundle's variants.
        offline: the device has no internet: the host sends every wheel.
        python: a standalone Python for a device whose own is too old; see ``standalone``.
        progress: called as a file is sent.
        on_step: called before each step that takes time.

    Raises:
        DeviceError: the device cannot be reached, or does not take it; says what is left there.
        DataError: this machine cannot fetch wheels for that device, or ``python`` is none.
        MissingExtra: devlib is not installed.

    Example:
        >>> push(Bundle.open("mbv2.edgekit"), "ssh:pi@board").bundle       # doctest: +SKIP
        '/home/pi/.local/share/edgekit/bundles/mbv2.edgekit'
    """
    needed = dict.fromkeys(v.engine for v in bundle.manifest.variants if v.engine in ENGINES)
    for engine in engines:
        if engine not in ENGINES:
            raise ValueError(f"engine {engine!r} is not one to install; choose from: {', '.join(ENGINES)}")
    on_step(f"connecting to {target}")
    files = reach(TargetName.parse(target), progress)
    step = "installing the runtime on the device"
    try:
        on_step(step)
        installed = install(files, engines or tuple(needed), offline=offline, python=python)
        step = "sending the bundle"
        on_step(step)
        sha256s = {entry.path: entry.sha256 for entry in bundle.manifest.files}
        files.verify(list(sha256s.values()))
        places = files.place(bundle, list(sha256s))
        folder = None if isinstance(bundle, ModelFile) else _lay_out(files, bundle, places)
        files.shell("sync")
    except DeviceError as err:
        raise explain(err, files, step) from err
    return Pushed(target, folder, installed, tuple(files.sent), files.sent_bytes)


def _lay_out(files: DeviceFiles, bundle: Bundle, places: dict[str, str]) -> str:
    """Make a bundle of the files that were sent, so that the device can run it by itself.

    Its files are links to the objects; objects that no bundle links to any more are removed.
    """
    folder, there = folder_of(files, bundle), send_manifest(files, bundle.manifest)
    new = f"{folder}.new"
    lines = ["set -e", f"rm -rf {shlex.quote(new)}"]
    for path, place in {**places, MANIFEST: there}.items():
        target = shlex.quote(f"{new}/{path}")
        lines.append(f"mkdir -p {shlex.quote(posixpath.dirname(f'{new}/{path}'))}")
        lines.append(f"ln {shlex.quote(place)} {target} 2>/dev/null || cp {shlex.quote(place)} {target}")
    old = f"{folder}.old"  # two renames: killed between them, only for a moment there is no bundle
    lines.append(f"rm -rf {shlex.quote(old)}")
    lines.append(f"if [ -e {shlex.quote(folder)} ]; then mv {shlex.quote(folder)} {shlex.quote(old)}; fi")
    lines += [f"mv {shlex.quote(new)} {shlex.quote(folder)}", f"rm -rf {shlex.quote(old)}"]
    lines.append(
        f"find {shlex.quote(files.home)}/objects -type f -links 1 ! -name '*.part' -mtime +7 -delete || true"
    )
    try:
        files.shell("\n".join(lines))
    except DeviceStableError as err:
        raise DeviceStableError(
            f"the files of {bundle.manifest.name} are there, but its folder is not: {err}"
        ) from err
    return folder
