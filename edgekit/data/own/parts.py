"""What of a user's data is trained on, and what is tested on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from edgekit.data.dataset import stratified_split
from runtime.errors import DataError

TEST_NAMES = ("test", "val", "validation")
_LEAST = 3  # a fifth of fewer rounds to no test example


def checked_root(root: Path | None, name: str, holds: str) -> Path:
    """Return the folder that the user gave.

    Args:
        name: of the dataset.
        holds: what must be in it, for errors.

    Raises:
        ValueError: none was given.
        DataError: there is no such folder.
    """
    if root is None:
        raise ValueError(f"dataset {name!r} got no root; pass --data-root FOLDER, with {holds}")
    if not root.is_dir():
        raise DataError(f"there is no folder {root}; give one that has {holds}")
    return root


def own_parts(root: Path, ending: str = "") -> tuple[Path, Path] | None:
    """Return ``root/train`` and ``root/test`` (or ``val``), followed by ``ending``, if both are there."""
    train = root / f"train{ending}"
    tests = [root / f"{name}{ending}" for name in TEST_NAMES]
    test = next((path for path in tests if path.exists()), None)
    return (train, test) if train.exists() and test is not None else None


ByClass = tuple[tuple[Path, ...], np.ndarray]
"""Files and the number of each one's class, int64."""


def split_classes(
    root: Path, scan: Callable[[Path], Iterable[Path]], what: str
) -> tuple[list[str], ByClass, ByClass]:
    """Return the classes that ``root`` has sub-folders of, and what to train and to test on.

    Either ``root/train/CLASS`` and ``root/test/CLASS`` (or ``val``), or ``root/CLASS``, of which a fifth of
    every class is kept for the test.

    Args:
        scan: returns the examples in a class's folder.
        what: an example is, for errors.

    Raises:
        DataError: there are fewer than two classes, or no example in a part.
    """
    if parts := own_parts(root):
        classes = _classes(parts[0])
        train, test = (_scan(part, classes, scan) for part in parts)
    else:
        classes = _classes(root)
        paths, labels = _scan(root, classes, scan)
        train, test = ((tuple(paths[i] for i in part), labels[part]) for part in stratified_split(labels))
    for part, (paths, _) in (("train", train), ("test", test)):
        if not paths:
            raise DataError(f"{root} leaves no {what} for the {part} part; give at least three per class")
    return classes, train, test


def sub_folders(root: Path) -> list[Path]:
    """Return the folders in ``root`` that are not hidden, sorted."""
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _classes(root: Path) -> list[str]:
    names = [path.name for path in sub_folders(root)]
    if len(names) < 2:
        raise DataError(f"{root} has {len(names)} class folders; at least 2 are needed, one per class")
    return names


def _scan(root: Path, classes: list[str], scan: Callable[[Path], Iterable[Path]]) -> ByClass:
    found = [sorted(scan(root / name)) if (root / name).is_dir() else [] for name in classes]
    labels = np.repeat(np.arange(len(classes)), [len(one) for one in found])
    return tuple(path for one in found for path in one), labels


def by_lot(count: int, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Return sorted indices of a train part and of a test part, a fifth; the same ones each time.

    Args:
        what: the examples are, and where, for the error.

    Raises:
        DataError: there are too few.
    """
    if count < _LEAST:
        raise DataError(f"{what}: {count} are too few to train and to test on; give at least {_LEAST}")
    return stratified_split(np.zeros(count))
