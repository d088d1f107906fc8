"""What a user gives to a flow, a picture or arrays, as the values that its graphs join by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from runtime.bundle import Flow, Graph, TensorSpec
from runtime.bundle.source import parse_source
from runtime.errors import DataError
from runtime.processing.images import open_image
from runtime.processing.inputs import check_input, load_archive, load_input
from runtime.processing.placement import Placement
from runtime.processing.prepare import prepare

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


@dataclass(frozen=True)
class Given:
    """One frame's input.

    Attributes:
        values: ``pre:NAME`` and ``file:NAME`` -> array.
        picture: the upright original; ``None`` where arrays were given.
        placement: of the network's input in it.
    """

    values: Mapping[str, np.ndarray]
    picture: Image.Image | None = None
    placement: Placement | None = None


def wanted(flow: Flow, graphs: Mapping[str, Graph], *, reference: bool = False) -> dict[str, TensorSpec]:
    """Return what the user must give: ``pre:NAME`` and ``file:NAME`` -> the tensor it becomes.

    Args:
        reference: what the graphs of the reference take, instead of those of a frame.
    """
    return dict(_joined(flow, graphs, reference))


Loaded: TypeAlias = "Image.Image | dict[str, np.ndarray]"


def load_given(path: Path, needs: Mapping[str, TensorSpec], flow: Flow) -> Loaded:
    """Read the file at ``path``: a picture that is still to be prepared, or arrays under their full names.

    Args:
        path: a picture, or a ``.npy`` of the network's input, where one thing is needed; else a ``.npz``
            whose arrays are called as the values, without ``pre:`` or ``file:``.
        needs: of ``wanted``.

    Raises:
        DataError: the file cannot be read.
        ValueError: it does not fit what is needed.
    """
    if not needs:
        raise ValueError(f"{path} is given, but this bundle makes its result from nothing; leave --input out")
    if path.suffix == ".npz":
        return _archive(path, needs)
    if len(needs) > 1:
        names = ", ".join(_name(text) for text in needs)
        raise ValueError(f"{path} is one array, but the bundle takes {names}; give a .npz with these arrays")
    ((text, spec),) = needs.items()
    if path.suffix == ".npy" or flow.pre is None or spec.image is None:
        return {text: load_input(path, spec)}
    return open_image(path)


def enter(
    loaded: Loaded, needs: Mapping[str, TensorSpec], flow: Flow, box: Sequence[float] | None = None
) -> Given:
    """Return what was loaded as one frame's input: the pre-step, where it is a picture.

    Args:
        box: left, top, right, bottom in pixels of the upright picture, where the pre-step needs one.

    Raises:
        DataError: a box is missing, without area or outside, or the pixels have no known range.
    """
    if isinstance(loaded, dict):
        return Given(loaded)
    ((text, spec),) = needs.items()
    assert flow.pre is not None
    assert spec.image is not None
    array, placement = prepare(loaded, flow.pre, spec.image, box)
    return Given({text: array}, loaded, placement)


def _archive(path: Path, needs: Mapping[str, TensorSpec]) -> dict[str, np.ndarray]:
    arrays = load_archive(path)
    names = {_name(text): text for text in needs}
    if set(arrays) != set(names):
        raise DataError(f"{path} holds {', '.join(arrays) or 'nothing'}; it must hold {', '.join(names)}")
    return {
        names[name]: check_input(array, needs[names[name]], f"{name} in {path}")
        for name, array in arrays.items()
    }


def _joined(flow: Flow, graphs: Mapping[str, Graph], reference: bool) -> Iterator[tuple[str, TensorSpec]]:
    for use in flow.graphs:
        if (use.when == "reference") != reference:
            continue
        for spec in graphs[use.name].inputs:
            if parse_source(use.inputs[spec.name]).kind in ("pre", "file"):
                yield use.inputs[spec.name], spec


def _name(text: str) -> str:
    return text.partition(":")[2]
