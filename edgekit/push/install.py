"""Install the light runtime on a device, in a virtual environment of its own."""

from __future__ import annotations

import hashlib
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edgekit.push.machine import read_machine
from edgekit.push.packages import Lock, fetch, lock_line
from edgekit.push.wheel import pack
from runtime.targets.device_files import DeviceFiles, sha256_of

# Made beside the old environment and switched to when it is whole. pip runs from its wheel, so that
# neither the device's Python nor the new environment needs it.
_INSTALL = r"""
set -e
cd {home}
rm -rf venvs/{digest}
mkdir -p venvs bin
{python} -m venv --without-pip venvs/{digest}
PYTHONPATH={pip} venvs/{digest}/bin/python -m pip install --disable-pip-version-check --no-cache-dir \
  --no-compile --quiet {arguments}
venvs/{digest}/bin/python -c 'import runtime.agent, edgekit'
touch venvs/{digest}/complete
ln -sfn venvs/{digest} runtime
ln -sfn ../runtime/bin/edgekit bin/edgekit
for old in venvs/*; do [ "$old" = venvs/{digest} ] || rm -rf "$old"; done
for wheel in wheels/*; do rm -f "objects/$(sha256sum < "$wheel" | cut -d' ' -f1)"; done
rm -rf wheels
du -sm venvs/{digest} | cut -f1
"""


@dataclass(frozen=True)
class Installed:
    """What is on the device: its engines, whether it was there before, and how large it is."""

    engines: tuple[str, ...]
    was_there: bool
    size_mb: int | None
    packages: tuple[str, ...]


def install(files: DeviceFiles, engines: tuple[str, ...], *, offline: bool) -> Installed:
    """Install this edgekit and what ``engines`` need, unless just that is there already.

    Args:
        engines: with wheels of their own; each is an extra of edgekit.
        offline: the device has no internet: the host sends every wheel.

    Raises:
        DeviceError: the device has no fitting Python, or the installation failed.
        DataError: there are no wheels for that device.
    """
    machine = read_machine(files)
    with tempfile.TemporaryDirectory() as temporary:
        wheel = pack(Path(temporary))
        lock = fetch(wheel, list(engines), machine)
        words = f"{sha256_of(wheel)} {engines} {lock.path.read_text()} {machine.python}"
        digest = hashlib.sha256(words.encode()).hexdigest()[:12]
        pins = tuple(line.split()[0] for line in lock.path.read_text().splitlines())
        home = shlex.quote(files.home)
        if files.shell(
            f"test -e {home}/venvs/{digest}/complete && test -e {home}/runtime && echo yes || true"
        ):
            return Installed(engines, True, None, pins)
        pip = _send(files, [w for w in lock.wheels if w.name.startswith("pip-")])[0]
        if offline:
            arguments = _offline(files, wheel, lock, Path(temporary))
        else:
            (there,) = _send(files, [wheel])
            (locked,) = _send_texts(files, {LOCKED: _without_pip(lock)}, Path(temporary))
            arguments = f"--constraint {locked} {shlex.quote(there + _extras(engines))}"
        script = _INSTALL.format(
            home=home,
            digest=digest,
            python=shlex.quote(machine.python),
            pip=shlex.quote(pip),
            arguments=arguments,
        )
        size_mb = int(files.shell(script).split()[-1])
    return Installed(engines, False, size_mb, pins)


LOCKED = "requirements.lock"


def _offline(files: DeviceFiles, wheel: Path, lock: Lock, temporary: Path) -> str:
    _send(files, [wheel, *lock.wheels])
    text = _without_pip(lock) + lock_line(wheel)
    (locked,) = _send_texts(files, {LOCKED: text}, temporary)
    folder = shlex.quote(f"{files.home}/wheels")
    return f"--no-index --find-links {folder} --require-hashes --requirement {locked}"


def _without_pip(lock: Lock) -> str:
    lines = lock.path.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("pip=="))


def _extras(engines: tuple[str, ...]) -> str:
    return f"[{','.join(engines)}]" if engines else ""


def _send(files: DeviceFiles, wheels: list[Path]) -> list[str]:
    """Send wheels and give each its name back: pip reads name and version from it."""
    places = []
    for wheel in wheels:
        there = files.send(wheel, sha256_of(wheel))
        place = f"{files.home}/wheels/{wheel.name}"
        files.shell(
            f"mkdir -p {shlex.quote(files.home)}/wheels && ln -f {shlex.quote(there)} {shlex.quote(place)}"
        )
        places.append(place)
    return places


def _send_texts(files: DeviceFiles, texts: dict[str, str], temporary: Path) -> list[str]:
    paths = []
    for name, text in texts.items():
        (temporary / name).write_text(text)
        paths.append(temporary / name)
    return _send(files, paths)
