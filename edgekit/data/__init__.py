"""Datasets by name, and the moves that make training images go further."""

from edgekit.data import cifar10, digits, faces, fashion_mnist, folder, own, tunes  # noqa: F401  (they register)
from edgekit.data.dataset import DATASETS, Dataset, Split, load_dataset
from edgekit.data.fields import Boxes, Caption, Field, Fields, Fixed, Identity, Keypoints, Label, Mask
from edgekit.data.limit import limit_training
from edgekit.data.moves import Affine, Mirror, Move, Shift

__all__ = [
    "DATASETS",
    "Affine",
    "Boxes",
    "Caption",
    "Dataset",
    "Field",
    "Fields",
    "Fixed",
    "Identity",
    "Keypoints",
    "Label",
    "Mask",
    "Mirror",
    "Move",
    "Shift",
    "Split",
    "limit_training",
    "load_dataset",
]
