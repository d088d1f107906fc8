"""The 8x8 handwritten digits that come with scikit-learn: 1,797 images, no download.

They stay grey (one channel): colour would triple the first layer's input and add nothing.
Source: UCI "Optical Recognition of Handwritten Digits", test part.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgekit.data.dataset import DATASETS, Dataset, Split, resize_images, stratified_split
from runtime.bundle import ImageSpec
from runtime.extras import require


@DATASETS.register("digits")
def load_digits(root: Path | None = None, image_size: int | None = None) -> Dataset:
    """Return digits scaled up to ``image_size`` (default 32), split 80/20 within every class."""
    size = image_size or 32
    source = require("sklearn.datasets", extra="train").load_digits()
    pixels = (source.images * (255 / 16)).astype(np.uint8)[..., None]  # 0..16 -> 0..255, (N, 8, 8, 1)
    images = resize_images(pixels, size)
    labels = source.target.astype(np.int64)
    image = ImageSpec(size=size, resize=size, mean=(0.305,), std=(0.33,), channels=1)
    train, test = stratified_split(labels)
    return Dataset(
        name="digits",
        train=Split(images[train], labels[train], image),
        test=Split(images[test], labels[test], image),
        labels=[str(digit) for digit in range(10)],
        image=image,
    )
