"""Input shapes that a ``.tflite`` file leaves open, and a copy of the file in which they are fixed.

A converter that knows no size writes -1 into a tensor's signature, and 1 into its shape. XNNPACK and LiteRT's
profiler want to know every size when they load a file, and so does whoever counts its work.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from runtime.bundle import TensorSpec
from runtime.device.child import module_command, module_environment
from runtime.engines.tflite_content import TfliteGraph
from runtime.engines.tflite_parts import pack, put_shapes, unpack
from runtime.errors import DeviceStableError

Named: TypeAlias = tuple[str | None, tuple[int, ...]]  # name, or None: the next input; shape
InputShapes: TypeAlias = Sequence[Named]
_RESOLVE_S = 300.0


def choose_shapes(graph: TfliteGraph, given: InputShapes, file: str) -> dict[str, tuple[int, ...]]:
    """Return the shapes of inputs that are given, or of which only the first axis is open: it is 1 then.

    Args:
        given: names are those of tensors, or of a signature's inputs.
        file: its name, for errors.

    Raises:
        ValueError: there is no such input, or the shape does not fit what the file fixes.
    """
    by_name = {spec.name: spec for spec in graph.inputs}
    tensor_of = {label: tensor for tensor, label in graph.input_labels().items()}
    unnamed = iter(by_name)
    batches = [name for name in by_name if graph.open_axes.get(name) == (0,)]
    chosen = {name: by_name[name].shape for name in batches}
    for label, shape in given:
        name = next(unnamed, None) if label is None else tensor_of.get(label, label)
        if name not in by_name:
            what = "one shape too many" if label is None else f"a shape for the input {label!r}"
            raise ValueError(f"{file} got {what}; its inputs are: {', '.join(map(repr, by_name))}")
        _check(by_name[name], graph.open_axes.get(name, ()), shape, file)
        chosen[name] = shape
    return chosen


def share_out(
    graphs: Mapping[str, TfliteGraph], given: InputShapes, file: str
) -> dict[str, dict[str, tuple[int, ...]]]:
    """Return ``choose_shapes`` of each of the graphs; a shape without a name is for the first.

    Raises:
        ValueError: as ``choose_shapes``.
    """
    shapes: dict[str, list[Named]] = {name: [] for name in graphs}
    first = next(iter(graphs))
    for label, shape in given:
        takers = [name for name, graph in graphs.items() if label in graph.labels()]
        for name in takers or [first]:  # which says that it has no such input
            shapes[name].append((label, shape))
    return {name: choose_shapes(graph, shapes[name], file) for name, graph in graphs.items()}


def missing_shapes(graph: TfliteGraph, chosen: Mapping[str, tuple[int, ...]], file: str) -> str | None:
    """Return what to say about inputs of open shape that nobody chose; ``None``: there are none."""
    left = [spec for spec in graph.inputs if spec.name in graph.open_axes and spec.name not in chosen]
    if not left:
        return None
    labels = graph.input_labels()
    shown = [f"{labels[spec.name]!r} ({shown_shape(spec, graph.open_axes[spec.name])})" for spec in left]
    options = [
        f"--input-shape {labels[spec.name]}={shown_shape(spec, graph.open_axes[spec.name], 'N')}"
        for spec in left
    ]
    what = f"{file} leaves the shape of {', '.join(shown)} open"
    return f"{what}; give a number for each N: {' '.join(options)} (input_shapes in the plan of a lab)"


def shown_shape(spec: TensorSpec, open_axes: Sequence[int], unknown: str = "?") -> str:
    """Return a shape for people, such as ``1x?``."""
    return "x".join(unknown if axis in open_axes else str(side) for axis, side in enumerate(spec.shape))


def fix_shapes(path: Path, shapes: Mapping[str, tuple[int, ...]], out: Path) -> None:
    """Write the file at ``path`` to ``out`` as if it had been made for these input shapes.

    Raises:
        BundleError: it is too large to be copied so.
        DeviceStableError: LiteRT cannot run it at these shapes.
        MissingExtra: ai-edge-litert is not installed.
    """
    model = unpack(path)
    put_shapes(model, _resolve(path, shapes))
    pack(model, out)


def _resolve(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> list[list[int]]:
    try:
        done = subprocess.run(
            module_command("runtime.engines.tflite_resolve", str(path.resolve())),
            input=json.dumps(shapes), env=module_environment(), capture_output=True, text=True,
            timeout=_RESOLVE_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as err:
        raise DeviceStableError(
            f"{path.name}: one frame takes longer than {_RESOLVE_S:g} s at {_listed(shapes)}; give smaller "
            "shapes"
        ) from err
    if done.returncode != 0:
        words = " ".join(done.stderr.split())[-300:]
        raise DeviceStableError(
            f"{path.name}: LiteRT cannot run it at {_listed(shapes)} ({words}); give shapes that the model "
            "takes: --input-shape"
        )
    found: list[list[int]] = json.loads(done.stdout)
    return found


def _listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name}={'x'.join(map(str, shape))}" for name, shape in shapes.items())


def _check(spec: TensorSpec, open_axes: Sequence[int], shape: tuple[int, ...], file: str) -> None:
    fits = len(shape) == len(spec.shape) and all(
        axis in open_axes or side == shape[axis] for axis, side in enumerate(spec.shape)
    )
    if not fits:
        raise ValueError(
            f"input {spec.name!r} of {file} got the shape {'x'.join(map(str, shape))}; the file wants "
            f"{shown_shape(spec, open_axes)}, where only ? may be chosen"
        )
