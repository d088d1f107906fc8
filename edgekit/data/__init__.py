"""Datasets by name, and the small changes that make training images go further."""

from edgekit.data import cifar10, digits, faces, fashion_mnist, folder, tunes  # noqa: F401  (they register)
from edgekit.data.augmentation import random_crop, random_flip
from edgekit.data.dataset import DATASETS, Dataset, Split, load_dataset
from edgekit.data.limit import limit_training

__all__ = ["DATASETS", "Dataset", "Split", "limit_training", "load_dataset", "random_crop", "random_flip"]
