"""Install the light runtime on a device, in a virtual environment of its own."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from edgekit.push.machine import Machine, read_machine
from edgekit.push.packages import fetch, lock_line
from edgekit.push.standalone import send_python
from edgekit.push.wheel import pack, pack_runner
from runtime.bundle.digest import file_sha256
from runtime.bundle.staging import staging_folder
from runtime.engines.native import NativeRunner, build_for
from runtime.engines.native.finding import PACKAGE
from runtime.engines.native.runner import PROGRAM
from runtime.errors import DeviceStableError
from runtime.targets.ssh.device_files import DeviceFiles

# Made beside the old environment and switched to when it is whole. pip runs from its wheel, so that
# neither the device's Python nor the new environment needs it.
_INSTALL = r"""
set -e
cd {home}
rm -rf venvs/{digest}
mkdir -p venvs bin
{python} -I -m venv --without-pip venvs/{digest}
venvs/{digest}/bin/python -I {pip}/pip install --disable-pip-version-check --no-cache-dir \
  --no-compile --quiet {index} --require-hashes --requirement {locked}
venvs/{digest}/bin/python -I -c 'import runtime.targets.agent, edgekit'
{try_runner}
touch venvs/{digest}/complete
ln -sfn venvs/{digest} runtime
ln -sfn ../runtime/bin/edgekit bin/edgekit
for old in venvs/* pythons/*; do
  case {home}/"$old" in {kept}|*/venvs/{digest}) ;; *) rm -rf "$old" ;; esac
done
for wheel in wheels/*; do rm -f "objects/$(sha256sum < "$wheel" | cut -d' ' -f1)"; done
rm -rf wheels
du -sm venvs/{digest} | cut -f1
"""
# Run once: whether the device has the C libraries that it was linked to is only seen there.
_TRY_RUNNER = f"venvs/{{digest}}/lib/python3*/site-packages/{PACKAGE}/{PROGRAM} < /dev/null"
EXTRAS = ("litert",)
ENGINES = (*EXTRAS, "executorch")
LOCKED = "requirements.lock"


@dataclass(frozen=True)
class Installed:
    """What is on the device: its engines, its Python, whether it was there before, and how large it is."""

    engines: tuple[str, ...]
    python: str
    was_there: bool
    size_mb: int | None
    packages: tuple[str, ...]


def install(
    files: DeviceFiles, engines: tuple[str, ...], *, offline: bool, python: Path | None = None
) -> Installed:
    """Install this edgekit and what ``engines`` need, unless just that is there already.

    Args:
        engines: of ``ENGINES``: LiteRT is a package, ExecuTorch our native runner, built here for the device.
        offline: the device has no internet: the host sends every wheel.
        python: a standalone Python to bring along; see ``send_python``. Default: the device's own.

    Raises:
        DeviceError: the device has no fitting Python, the runner cannot be built for it, or the
            installation failed.
        DataError: there are no wheels for that device.
    """
    machine = read_machine(files, None if python is None else send_python(files, python))
    about = f"Python {machine.version} at {machine.python}"
    with staging_folder() as temporary:
        ours = [pack(temporary)]
        if "executorch" in engines:
            ours.append(pack_runner(_build_runner(machine), temporary))
        lock = fetch(ours[0], [engine for engine in engines if engine in EXTRAS], machine)
        sent = [wheel for wheel in lock.wheels if offline or wheel.name.startswith("pip-")]
        pins = [line for line in lock.path.read_text().splitlines() if not line.startswith("pip==")]
        words = f"{[file_sha256(wheel) for wheel in ours]} {engines} {pins} {machine.python}"
        digest = hashlib.sha256(words.encode()).hexdigest()[:12]
        packages = tuple(line.split()[0] for line in (*pins, *map(lock_line, ours)))
        home = shlex.quote(files.home)
        if files.shell(
            f"test -e {home}/venvs/{digest}/complete && test -e {home}/runtime && echo yes || true"
        ):
            return Installed(engines, about, True, None, packages)
        places = _send(files, [*ours, *sent])
        locked = temporary / LOCKED
        locked.write_text("\n".join([*pins, *(_pin(wheel, places[wheel]) for wheel in ours), ""]))
        there = _send(files, [locked])[locked]
        script = _INSTALL.format(
            home=home,
            digest=digest,
            python=shlex.quote(machine.python),
            kept=shlex.quote(machine.python.rpartition("/bin/")[0]),
            pip=shlex.quote(next(place for wheel, place in places.items() if wheel.name.startswith("pip-"))),
            index="--no-index --find-links wheels" if offline else "",
            locked=shlex.quote(there),
            try_runner=_TRY_RUNNER.format(digest=digest) if "executorch" in engines else "",
        )
        size_mb = int(files.shell(script).split()[-1])
    return Installed(engines, about, False, size_mb, packages)


def _build_runner(machine: Machine) -> NativeRunner:
    try:
        return build_for(machine.arch)
    except DeviceStableError as err:
        raise DeviceStableError(f"{err}; or leave ExecuTorch out: --engine litert") from err


def _pin(wheel: Path, place: str) -> str:
    """Return a line of pip's for our own wheel, which no index has."""
    return f"{wheel.name.partition('-')[0]} @ file://{quote(place)} --hash=sha256:{file_sha256(wheel)}"


def _send(files: DeviceFiles, wheels: Sequence[Path]) -> dict[Path, str]:
    """Send wheels and give each its name back: pip reads name and version from it."""
    places = {}
    for wheel in wheels:
        there = files.send(wheel, file_sha256(wheel))
        place = f"{files.home}/wheels/{wheel.name}"
        files.shell(
            f"mkdir -p {shlex.quote(files.home)}/wheels && ln -f {shlex.quote(there)} {shlex.quote(place)}"
        )
        places[wheel] = place
    return places
