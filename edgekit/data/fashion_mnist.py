"""Fashion-MNIST: 60,000 + 10,000 grey images of clothes, 28x28 (arXiv 1708.07747)."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from edgekit.data.dataset import DATASETS, Dataset, Split, resize_images
from edgekit.data.download import cache_folder, fetch
from runtime.bundle import ImageSpec
from runtime.errors import DataError

URL = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
SHA256 = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # package dataset-fashion-mnist
LABELS = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
]  # fmt: skip


@DATASETS.register("fashion-mnist")
def load_fashion_mnist(root: Path | None = None, image_size: int | None = None) -> Dataset:
    """Return Fashion-MNIST from ``root``, Debian's package, the cache, or its home on the internet."""
    size = image_size or 28
    image = ImageSpec(size=size, resize=size, mean=(0.286,), std=(0.353,), channels=1)
    parts = []
    for prefix in ("train", "t10k"):
        pixels = read_idx(_locate(f"{prefix}-images-idx3-ubyte.gz", root))
        labels = read_idx(_locate(f"{prefix}-labels-idx1-ubyte.gz", root))
        if pixels.ndim != 3 or labels.ndim != 1:
            raise DataError(
                f"{prefix} files hold {pixels.shape} and {labels.shape}, not (N, H, W) and (N,); reload them"
            )
        parts.append(Split(resize_images(pixels[..., None], size), labels.astype(np.int64), image))
    return Dataset("fashion-mnist", parts[0], parts[1], list(LABELS), image, flips=True)


def read_idx(path: Path) -> np.ndarray:
    """Return the uint8 array of a gzipped IDX file.

    The format: two zero bytes, type 8 (unsigned byte), number of dimensions, each size as a
    big-endian 32-bit integer, the data.

    Raises:
        DataError: not gzip, not IDX, or cut short.
    """
    try:
        raw = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as err:
        raise DataError(f"{path} cannot be read as gzip ({err}); download it again") from err
    if len(raw) < 4 or raw[:3] != b"\0\0\x08":
        raise DataError(f"{path} is not an IDX file of unsigned bytes; download it again")
    n_dims = raw[3]
    start = 4 + 4 * n_dims
    shape = struct.unpack(f">{n_dims}I", raw[4:start]) if len(raw) >= start else ()
    if len(raw) - start != math.prod(shape):
        raise DataError(f"{path} holds {len(raw) - start} bytes, its header says {shape}; download it again")
    return np.frombuffer(raw, dtype=np.uint8, offset=start).reshape(shape)


def _locate(name: str, root: Path | None) -> Path:
    if root is not None:
        if not (root / name).is_file():
            raise DataError(f"{root} has no {name}; put the four .gz files of Fashion-MNIST there")
        return root / name
    if (DEBIAN_FOLDER / name).is_file():
        return DEBIAN_FOLDER / name
    return fetch(URL + name, SHA256[name], cache_folder("fashion-mnist") / name)
