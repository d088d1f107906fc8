"""Real photographs to set faces on, from packages that bring some; none shows a person."""

from __future__ import annotations

import io
from functools import cache
from importlib import resources

import numpy as np
from PIL import Image

from runtime.extras import require

# package -> files in it. What is tested on is never trained on.
_TRAINING = {
    "sklearn.datasets.images": ("china.jpg",),
    "skimage.data": ("chelsea.png", "gravel.png", "motorcycle_left.png"),
}
_TESTING = {
    "sklearn.datasets.images": ("flower.jpg",),
    "skimage.data": ("coffee.png", "rocket.jpg", "grass.png"),
}


@cache
def photographs(training: bool, *, few: bool = False) -> tuple[np.ndarray, ...]:
    """Return photographs, uint8, shapes (H, W, 3).

    Args:
        training: those to train on, or those to test on; no photograph is both.
        few: only the one that scikit-learn brings.

    Raises:
        MissingExtra: a package is not installed.
    """
    packages = _TRAINING if training else _TESTING
    return tuple(
        _read(package, name)
        for package, names in packages.items()
        for name in names
        if not few or package.startswith("sklearn")
    )


def _read(package: str, name: str) -> np.ndarray:
    data = resources.files(require(package, extra="faces")).joinpath(name).read_bytes()
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
