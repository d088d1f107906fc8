"""What every decoded result offers, and what decoding needs to know besides the tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from runtime.processing.placement import Placement

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

Row = tuple[Any, ...]


class Decoded(Protocol):
    """A result of one frame, in the coordinates of the original picture."""

    def table(self) -> tuple[tuple[str, ...], list[Row]]:
        """Return headers and rows to print."""

    def plain(self) -> dict[str, Any]:
        """Return it as JSON holds it."""

    def draw(self, picture: Image.Image | None) -> Image.Image:
        """Return ``picture`` with the result drawn over it, RGB; without one on a ground of its own.

        Raises:
            DataError: it cannot be drawn.
        """

    def forms(self) -> Mapping[str, Callable[[], bytes]]:
        """Return what makes a file of it, by the ending of the file's name, besides those all have."""


@dataclass(frozen=True)
class Frame:
    """What came of one frame of a flow.

    Attributes:
        outputs: ``GRAPH.OUTPUT`` -> array.
        draws: token -> what was drawn, in order.
        placement: of the input in the picture; ``None`` where the frame began with arrays.
        labels: class names that lie beside the bundle's model.
        references: for an embedding: name -> vector.
    """

    outputs: Mapping[str, np.ndarray]
    draws: Mapping[str, Sequence[int]] = field(default_factory=dict)
    placement: Placement | None = None
    labels: Sequence[str] | None = None
    references: Mapping[str, np.ndarray] = field(default_factory=dict)
