"""What of a network is exported: callables with real inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from runtime.bundle import ImageSpec, TensorSpec

Frame = tuple[np.ndarray, ...]  # one array per input, batch 1 each


@dataclass(frozen=True)
class Examples:
    """Real inputs to trace and check exported graphs with.

    Attributes:
        inputs: as a batch has them: float32 of shape (N, C, H, W), or a dict of arrays.
        described: what they are, for people.
        image: how a picture becomes an input, where it is one.
    """

    inputs: Any
    described: str
    image: ImageSpec | None = None


@dataclass(frozen=True)
class SourceGraph:
    """One callable of a model, with real frames to check its exported files on.

    Attributes:
        model: in evaluation mode; takes the arrays of a frame in order, returns a tensor, or a
            tuple, list, dict or dataclass of tensors.
        inputs: name, type and static shape of each input.
        frames: at least one; the first is the example that the model is traced with.
        described: what the frames are, for people.
        output_names: ``None``: ``output``, or ``output0``, ``output1``, or a named tuple's fields.
    """

    model: nn.Module
    inputs: tuple[TensorSpec, ...]
    frames: tuple[Frame, ...]
    described: str
    output_names: tuple[str, ...] | None = None

    def example(self) -> tuple[torch.Tensor, ...]:
        """Return the first frame as tensors."""
        return as_tensors(self.frames[0])

    @staticmethod
    def of_images(model: nn.Module, examples: Examples, output: str) -> SourceGraph:
        """Return the graph of a model with one input, photographs of shape (1, C, H, W), and one output."""
        inputs = examples.inputs
        frames = tuple((inputs[i : i + 1],) for i in range(len(inputs)))
        spec = TensorSpec("image", str(inputs.dtype), (1, *inputs.shape[1:]), examples.image)
        return SourceGraph(model, (spec,), frames, examples.described, (output,))


def as_tensors(frame: Sequence[np.ndarray]) -> tuple[torch.Tensor, ...]:
    """Return copies of the arrays, contiguous.

    A slice with one channel can have the strides of channels-last; exporters would believe them.
    """
    return tuple(torch.from_numpy(array).clone(memory_format=torch.contiguous_format) for array in frame)
