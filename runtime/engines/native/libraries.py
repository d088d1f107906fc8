"""ExecuTorch's C++ libraries and headers, as its wheels carry them since 1.5."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from runtime.bundle.staging import staging_folder
from runtime.engines.native.runner import this_arch
from runtime.errors import DeviceStableError, MissingExtra

VERSION = "1.5.1"  # fetched where no other is asked for
ARCHES = ("aarch64", "x86_64")  # of Linux, that a runner is built for
NAMES = tuple(
    f"libexecutorch{part}.so"
    for part in ("", "_kernels_optimized", "_kernels_quantized", "_backend_xnnpack", "_threadpool", "_etdump")
)
_WHEEL_PYTHON = "3.11"  # the libraries are the same in the wheels of every Python


@dataclass(frozen=True)
class Libraries:
    """The ``executorch`` folder of a wheel, installed or unpacked."""

    root: Path
    version: str
    arch: str

    def __post_init__(self) -> None:
        lacking = [name for name in NAMES if not (self.root / "lib" / name).is_file()]
        if not (self.root / "include").is_dir():
            lacking.append("its headers")
        if lacking:
            raise DeviceStableError(
                f"executorch {self.version} in {self.root} lacks {', '.join(lacking)}: the native runner "
                f"needs the C++ libraries that wheels carry since 1.5; run: pip install executorch=={VERSION}"
            )


def installed_libraries() -> Libraries:
    """Return those of the installed executorch; torch need not be.

    Raises:
        MissingExtra: it is not installed.
        DeviceStableError: it is an older one without them.
    """
    spec = importlib.util.find_spec("executorch")
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    try:
        version = metadata.version("executorch")
    except metadata.PackageNotFoundError:
        places = []
    if not places:
        raise MissingExtra(
            f"executorch is not installed; run: pip install --no-deps executorch=={VERSION} "
            "(torch is not needed)"
        )
    return Libraries(Path(places[0]), version, this_arch())


def unpack_wheel(wheel: Path, folder: Path) -> Libraries:
    """Unpack libraries and headers of an executorch wheel into ``folder``.

    Raises:
        DeviceStableError: it is not such a wheel, or one without them.
    """
    parts = wheel.name.removesuffix(".whl").split("-")
    arch = next((arch for arch in ARCHES if parts[-1].endswith(arch)), None)
    if parts[0] != "executorch" or arch is None:
        raise DeviceStableError(f"{wheel} is not a wheel of executorch for Linux on {' or '.join(ARCHES)}")
    try:
        with zipfile.ZipFile(wheel) as archive:
            wanted = ("executorch/lib/", "executorch/include/")
            archive.extractall(folder, [name for name in archive.namelist() if name.startswith(wanted)])
    except (OSError, zipfile.BadZipFile) as err:
        raise DeviceStableError(f"cannot unpack {wheel} ({err}); download it again") from err
    return Libraries(folder / "executorch", parts[1], arch)


def fetch_libraries(arch: str, folder: Path, version: str = VERSION) -> Libraries:
    """Download the wheel for ``arch`` with pip and keep its libraries below ``folder``.

    Raises:
        DeviceStableError: pip cannot get it.
    """
    kept = folder / f"executorch-{version}-{arch}"
    if (kept / "executorch").is_dir():
        return Libraries(kept / "executorch", version, arch)
    folder.mkdir(parents=True, exist_ok=True)
    with staging_folder(folder) as temporary:
        command = [
            *(sys.executable, "-P", "-m", "pip", "download", "--quiet"),
            *("--disable-pip-version-check", "--no-deps"),
            *(
                "--only-binary=:all:",
                f"--platform=manylinux_2_28_{arch}",
                f"--python-version={_WHEEL_PYTHON}",
            ),
            *(f"--dest={temporary}", f"executorch=={version}"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(temporary.glob("*.whl"))
        if done.returncode != 0 or not wheels:
            raise DeviceStableError(
                f"pip cannot download executorch {version} for {arch} ({done.stderr.strip()[-300:]}); "
                "check the network, or give a wheel or an unpacked one"
            )
        unpacked = unpack_wheel(wheels[0], temporary / "unpacked")
        try:
            unpacked.root.parent.rename(kept)
        except OSError:  # somebody else was faster
            shutil.rmtree(unpacked.root.parent)
    return Libraries(kept / "executorch", version, arch)
