"""The fields of many images by name, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from edgekit.data.fields.field import Field
from edgekit.data.moves import Move
from runtime.errors import DataError


class Column(Protocol):
    """One field of all images: an array is one, and so is a list of files read when asked for.

    Attributes:
        shape: (N, ...), of all images.
    """

    dtype: np.dtype
    shape: tuple[int, ...]

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        """Return the values of some images, shape (B, ...)."""
        ...


class Fields:
    """What is known of each image: stands where an array with named fields could.

    Args:
        kinds: what each field is, by name.
        columns: its values; all of the same length.

    Raises:
        DataError: a field has no kind, or another length.

    Example:
        >>> boxes = np.zeros((5, 2, 4), dtype=np.float32)
        >>> Fields({"boxes": Boxes(32)}, {"boxes": boxes})[[0, 3]]["boxes"].shape
        (2, 2, 4)
    """

    ndim = 1

    def __init__(self, kinds: Mapping[str, Field], columns: Mapping[str, Column]):
        counts = {name: column.shape[0] for name, column in columns.items()}
        if set(kinds) != set(columns) or len(set(counts.values())) != 1:
            told = ", ".join(f"{name} ({count})" for name, count in counts.items())
            raise DataError(
                f"fields {told} must be as many as the kinds {', '.join(kinds)}, and all of one length"
            )
        self.kinds, self.columns = dict(kinds), dict(columns)
        self.dtype = np.dtype(
            [(name, column.dtype, column.shape[1:]) for name, column in columns.items()], align=True
        )
        self.shape = (next(iter(counts.values())),)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        """Return a field of all images by its name; else the chosen images' fields, an array with names."""
        if isinstance(key, str):
            return self.columns[key][np.arange(len(self))]
        indices = np.arange(len(self))[key]
        chosen = np.atleast_1d(indices)
        found = np.zeros(len(chosen), self.dtype)
        for name, column in self.columns.items():
            found[name] = column[chosen]
        return found if np.ndim(indices) else found[0]

    def __iter__(self) -> Iterator[np.void]:
        return (self[index] for index in range(len(self)))

    @property
    def can_move(self) -> bool:
        """Whether all fields stay true when an image is moved."""
        return all(kind.moves for kind in self.kinds.values())

    def part(self, indices: np.ndarray) -> Fields:
        """Return the fields of the images at ``indices``; nothing is read."""
        return Fields(self.kinds, {name: Chosen(column, indices) for name, column in self.columns.items()})

    def moved(self, found: np.ndarray, move: Move) -> np.ndarray:
        """Return ``found``, an array with our names, as it is after ``move``."""
        after = np.empty_like(found)
        for name, kind in self.kinds.items():
            after[name] = kind.moved(found[name], move)
        return after


class Chosen:
    """Some of other images, or of a column's values."""

    def __init__(self, values: Any, indices: np.ndarray):
        self.values, self.indices = values, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        return self.values[self.indices[indices]]

    @property
    def dtype(self) -> np.dtype:
        return self.values.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.indices), *self.values.shape[1:])
