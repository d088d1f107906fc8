"""How a photograph becomes the input of a model of the user, and what its classes are called."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from edgekit.export.graph import Origin
from edgekit.tasks import SourceGraph
from runtime.bundle import MAIN_GRAPH, ImageSpec
from runtime.errors import DataError
from runtime.processing.images import IMAGE_SUFFIXES, load_image, normalise

N_INPUTS = 16  # pictures to check on: each runs through the eager model and every file


@dataclass(frozen=True)
class Preprocess:
    """How a photograph becomes the model's first input; put it beside the factory in a ``.py`` file too.

    A photograph is scaled until its shorter side is ``resize``, cropped to its centre, scaled to
    [0, 1], and each channel becomes ``(value - mean) / std``.

    Attributes:
        mean, std: one value per channel on the scale of [0, 1]: three for colour (RGB), one for grey.
        size: height and width of the input in pixels.
        layout: of the *file's* input. ``nhwc`` is what cameras give: the file takes (1, H, W, C), while
            the model and its example inputs stay (1, C, H, W). It costs nothing: both engines compute
            channels last, so that a transposition falls away.
        labels: names of the classes in the order of the scores, or a text file with one in each line.
        resize: default: ``size``, so that the whole shorter side is seen.
        interpolation: ``bilinear`` or ``bicubic``.

    Raises:
        ValueError, TypeError: a value out of range; says which and what is allowed.

    Example:
        >>> Preprocess(mean=(0.5,) * 3, std=(0.5,) * 3, size=224, layout="nhwc").image.shape
        (1, 224, 224, 3)
    """

    mean: Sequence[float]
    std: Sequence[float]
    size: int
    layout: str = "nchw"
    labels: Sequence[str] | str | os.PathLike[str] = ()
    resize: int | None = None
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            values = getattr(self, name)
            if isinstance(values, (int, float, str)) or not all(isinstance(v, (int, float)) for v in values):
                raise TypeError(f"{name} is {values!r}; give a number per channel, such as (0.5, 0.5, 0.5)")
        if not all(0 <= value <= 1 for value in self.mean):
            raise ValueError(f"mean is {self.mean}; it is on the scale of [0, 1]: divide it and std by 255")
        _ = self.image  # checks the rest

    @property
    def image(self) -> ImageSpec:
        """The same as the manifest keeps it."""
        return ImageSpec(
            self.size,
            self.resize or self.size,
            tuple(self.mean),
            tuple(self.std),
            len(self.mean),
            self.interpolation,
            self.layout,
        )

    def read_labels(self, folder: Path = Path()) -> tuple[str, ...]:
        """Return the names of the classes, from their file if they are in one.

        Args:
            folder: that a relative path starts from.

        Raises:
            DataError: the file cannot be read.
        """
        if not isinstance(self.labels, (str, os.PathLike)):
            return tuple(self.labels)
        path = folder / self.labels
        try:
            return tuple(path.read_text(encoding="utf-8").removesuffix("\n").split("\n"))
        except (OSError, UnicodeDecodeError) as err:
            raise DataError(
                f"the labels {path} cannot be read ({err}); give a text file with a name in each line"
            ) from err


def with_pictures(origin: Origin, preprocess: Preprocess, folder: Path = Path()) -> Origin:
    """Return ``origin`` so that its bundle takes pictures and names classes.

    Args:
        folder: that a relative path of labels starts from.

    Raises:
        ValueError: the model has several graphs, or its first input is of another shape.
        DataError: the labels cannot be read.
    """
    if list(origin.graphs) != [MAIN_GRAPH]:
        raise ValueError(
            f"preprocess is for a model with one graph; {origin.name} has {', '.join(origin.graphs)}: leave "
            "preprocess out"
        )
    graph = _with_picture(origin.graphs[MAIN_GRAPH], preprocess.image)
    return replace(origin, graphs={MAIN_GRAPH: graph}, labels=preprocess.read_labels(folder))


def on_pictures(origin: Origin, path: Path) -> Origin:
    """Return ``origin`` with real pictures as the frames to check on, instead of drawn ones.

    Args:
        path: a picture or a folder of pictures.

    Raises:
        DataError: there is none, or it cannot be read.
        ValueError: the model takes no picture, or more than that.
    """
    inputs = [spec for graph in origin.graphs.values() for spec in graph.inputs]
    if len(inputs) != 1 or inputs[0].image is None:
        raise ValueError(
            f"pictures to check on are given, but {origin.name} does not take one picture alone; leave them "
            "out, or say with a Preprocess how a picture becomes its input"
        )
    arrays, described = read_pictures(path, inputs[0].image)
    frames = tuple((arrays[i : i + 1],) for i in range(len(arrays)))
    ((name, graph),) = origin.graphs.items()
    return replace(origin, graphs={name: replace(graph, frames=frames, described=described)})


def read_pictures(path: Path, image: ImageSpec) -> tuple[np.ndarray, str]:
    """Return the picture, or the first of the folder, at ``path`` as inputs, and what they are in words.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    if not path.is_dir():
        return load_image(path, image), f"the image {path.name}"
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)[:N_INPUTS]
    if not found:
        raise DataError(f"{path} holds no image; put PNG or JPEG files there, or name one file")
    return np.concatenate([load_image(file, image) for file in found]), f"images of {path.name}"


def _with_picture(graph: SourceGraph, image: ImageSpec) -> SourceGraph:
    first, *others = graph.inputs
    wanted = replace(image, layout="nchw").shape
    if (first.shape, first.dtype) != (wanted, "float32"):
        raise ValueError(
            f"the model's first input is {first.dtype} of shape {first.shape}; preprocess makes float32 of "
            f"shape {wanted}: give example inputs of that shape, or another size, mean and std"
        )
    spec = replace(first, shape=image.shape, image=image)
    model, example = graph.model, graph.frames[0][0]
    if image.layout == "nhwc":
        model, example = copy.deepcopy(model), np.moveaxis(example, 1, -1).copy()
        model.register_forward_pre_hook(_to_channels_first, prepend=True)
    # Random pixels, not random numbers: what pictures calibrate reaches no further than pictures do.
    rng = np.random.default_rng(0)
    pixels = rng.random((len(graph.frames) - 1, image.size, image.size, image.channels), dtype=np.float32)
    drawn = [normalise(one[None], image) for one in pixels]
    frames = tuple(
        (picture, *rest) for picture, (_, *rest) in zip((example, *drawn), graph.frames, strict=True)
    )
    described = f"the example input and {len(drawn)} of random pixels"
    return replace(graph, model=model, inputs=(spec, *others), frames=frames, described=described)


def _to_channels_first(model: nn.Module, inputs: tuple[Any, ...]) -> tuple[torch.Tensor, ...]:
    """Give the model what it takes; a hook, so that modules keep their paths in reports and errors."""
    first, *others = inputs
    # Contiguous: the strides of a bare permute reach as far as the pooling, which torch 2.13 then
    # writes with as_strided, an op that XNNPACK does not know.
    return (first.permute(0, 3, 1, 2).contiguous(), *others)
