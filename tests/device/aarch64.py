"""Run models as a 64-bit Arm board would, under qemu: our runtime, LiteRT and the native ExecuTorch runner.

Correct outputs only: emulated time says nothing. Makes a root folder of Debian's arm64 packages and
PyPI's aarch64 wheels, whole or not at all, once::

    python -m tests.device.aarch64 ROOT model.tflite model.pte

Nothing of the root is run to make it. It is entered with a mount and a user namespace of its own, in
which alone the kernel is told to hand arm64 programs to qemu (binfmt_misc per user namespace: Linux 6.7).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from runtime.engines.native import build_runner, fetch_libraries
from runtime.engines.native.build import cache_folder
from tests.places import ROOT

QEMU = "qemu-aarch64-static"
TOOLS = (QEMU, "debootstrap", "dpkg-deb", "unshare", "aarch64-linux-gnu-g++", "cmake")
MIRROR = "http://deb.debian.org/debian"
# LiteRT 2.3.0 crashes under qemu-user with /sys mounted, which ExecuTorch's XNNPACK needs.
PACKAGES = ("numpy", "msgspec", "psutil", "click", "pillow", "ai-edge-litert==2.1.0")
_PLATFORMS = tuple(f"--platform=manylinux_2_{n}_aarch64" for n in (28, 27, 26, 17))
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
_ENTER = r"""
set -e
root=$1; shift
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf '%s' ':edgekit-aarch64:M::MAGIC:MASK:QEMU:F' > /proc/sys/fs/binfmt_misc/register
mount --rbind /proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
exec chroot "$root" "$@"
"""
_RUN = """
import platform, sys
import numpy as np
from runtime.engines import EngineProcess
engine, path = sys.argv[1:]
inputs = [values for _, values in sorted(np.load("/exchange/inputs.npz").items())]
with EngineProcess(engine, path) as model:
    outputs = model.run(inputs).outputs
np.savez("/exchange/outputs.npz", *outputs)
print(platform.machine(), "|", model.version)
"""


def lacking() -> str | None:
    """Return what this machine lacks to do it, in words; ``None``: nothing."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"no {', '.join(missing)}"
    enter = "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && test -w /proc/sys/fs/binfmt_misc/register"
    done = subprocess.run(_unshared("sh", "-c", enter), capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"no binfmt_misc of one's own ({done.stderr.strip()})"


def make_root(root: Path) -> Path:
    """Make the root folder unless it is there; some minutes.

    Raises:
        RuntimeError: a download failed.
    """
    if root.is_dir():
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent) as temporary:
        new = Path(temporary) / "root"
        # The first stage only downloads; unpacking by hand needs no arm64 program to run.
        include = "--include=python3,libstdc++6"
        _call(
            "debootstrap", "--arch=arm64", "--foreign", "--variant=minbase", include, "bookworm", new, MIRROR
        )
        for package in sorted((new / "var/cache/apt/archives").glob("*.deb")):
            _call("dpkg-deb", "-x", package, new)
        shutil.rmtree(new / "var/cache/apt")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--only-binary=:all:"]
        _call(*pip, "--python-version=3.11", *_PLATFORMS, f"--target={new / 'opt/edgekit'}", *PACKAGES)
        new.chmod(0o755)
        new.rename(root)
    return root


def run_on_arm(
    root: Path, engine: str, model: Path, inputs: list[np.ndarray]
) -> tuple[list[np.ndarray], str]:
    """Return the outputs of ``model`` in ``root``, and which machine and engine gave them."""
    runner = build_runner(fetch_libraries("aarch64", cache_folder())).folder
    places = {ROOT / package: root / "opt/edgekit" / package for package in ("runtime", "predictors")}
    for source, place in {**places, runner: root / "opt/runner"}.items():
        shutil.rmtree(place, ignore_errors=True)  # what is tested is the tree of now
        shutil.copytree(source, place)
    exchange = root / "exchange"
    exchange.mkdir(exist_ok=True)
    shutil.copy(model, exchange)
    np.savez(exchange / "inputs.npz", **{f"{i:03}": values for i, values in enumerate(inputs)})
    environment = ["/usr/bin/env", "PYTHONPATH=/opt/edgekit", "EDGEKIT_NATIVE_RUNNER=/opt/runner"]
    python = ["/usr/bin/python3", "-c", _RUN, engine, f"/exchange/{model.name}"]
    said = _call(*inside(root, *environment, *python))
    with np.load(exchange / "outputs.npz") as outputs:
        return [outputs[name] for name in outputs.files], said.strip().splitlines()[-1]


def inside(root: Path, *command: str) -> list[str]:
    """Return the command line that runs ``command`` in ``root``, as on an Arm board."""
    script = (
        _ENTER.replace("MAGIC", _MAGIC).replace("MASK", _MASK).replace("QEMU", shutil.which(QEMU) or QEMU)
    )
    return _unshared("sh", "-c", script, "sh", root, *command)


def _unshared(*command: object) -> list[str]:
    return ["unshare", "--user", "--map-root-user", "--mount", *map(str, command)]


def _call(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-1500:]}")
    return done.stdout


def main(root: str, *models: str) -> None:
    """Run each model here and under qemu and print how far apart the outputs are."""
    from runtime.engines import EngineProcess, random_inputs
    from runtime.engines.model_file import ENGINE_OF

    make_root(Path(root))
    for path in map(Path, models):
        engine = ENGINE_OF[path.suffix]
        with EngineProcess(engine, path) as model:
            inputs = [array.numpy() for array in random_inputs(model.inputs)]
            here = model.run(inputs).outputs or []
        there, who = run_on_arm(Path(root), engine, path, inputs)
        gaps = [float(np.abs(a.astype(float) - b).max()) for a, b in zip(here, there, strict=True)]
        print(json.dumps({"model": path.name, "on": who, "host": model.version, "max_difference": max(gaps)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
