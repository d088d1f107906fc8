"""Networks with ImageNet weights: published ones, or a file the user has."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from edgekit.data.weights import WEIGHT_FILES, WeightFile, find_weights, weight_file
from edgekit.models._layouts import load_foreign, lukemelas_efficientnet, torchvision_mobilenet_v2
from edgekit.models.build import build_model
from edgekit.models.spec import MODELS, ModelSpec
from edgekit.models.user_code import is_user_model
from runtime.bundle import ImageSpec
from runtime.errors import DataError


@dataclass(frozen=True)
class WeightsSource:
    """How the published weights of a model are read.

    Attributes:
        file: that holds them.
        name_of: turns our module names into those of the file.
        image: how a photograph becomes the input.
    """

    file: WeightFile
    name_of: Callable[[str], str]
    image: ImageSpec


class Pretrained(NamedTuple):
    """A network with trained weights in evaluation mode, and what its input and output mean."""

    spec: ModelSpec
    model: nn.Module
    image: ImageSpec
    labels: list[str]


def _lite(model: str, size: int) -> WeightsSource:
    # As the TensorFlow release does it: bicubic, (pixel - 127) / 128. Only its margin of 32 pixels
    # around the crop is left out, so that the network sees the whole shorter side: with the margin
    # Lite0 takes scikit-image's cat for a tiger cat (0.39) before an Egyptian cat (0.36).
    mean, std = (127 / 255,) * 3, (128 / 255,) * 3
    image = ImageSpec(size, size, mean, std, interpolation="bicubic")
    return WeightsSource(WEIGHT_FILES[model], lukemelas_efficientnet, image)


WEIGHTS = {
    "efficientnet_lite0": _lite("efficientnet_lite0", 224),
    "efficientnet_lite1": _lite("efficientnet_lite1", 240),
    "efficientnet_lite2": _lite("efficientnet_lite2", 260),
    "mobilenet_v2": WeightsSource(
        WEIGHT_FILES["mobilenet_v2"],
        torchvision_mobilenet_v2,
        ImageSpec(224, 256, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ),
}


def pretrained(name: str, weights: str | Path | None = None) -> Pretrained:
    """Return the model ``name`` with its ImageNet weights.

    Args:
        name: one of the keys of ``WEIGHTS``.
        weights: a file of the same layout; ``None`` takes the published one, which was fetched.

    Raises:
        ValueError: there are no weights for ``name``.
        MissingExtra: the published file is not on this machine.
        DataError: the file is missing, changed or not a file of weights.
        CheckpointError: its weights belong to another network.

    Example:
        >>> spec, model, image, labels = pretrained("efficientnet_lite0")  # doctest: +SKIP
    """
    if not is_user_model(name):
        MODELS.get(name)  # an unknown model is refused before one without weights
    weight_file(name)
    source = WEIGHTS[name]
    path = find_weights(name) if weights is None else Path(weights)
    state = _read(path)
    spec = ModelSpec(name, image_size=source.image.size)
    model = build_model(spec)
    load_foreign(model, state, source.name_of, path.name)
    return Pretrained(spec, model.eval(), source.image, imagenet_labels())


def imagenet_labels() -> list[str]:
    """Return the 1000 names of the ImageNet classes in the order of the outputs.

    The names are those of torchvision (torchvision/models/_meta.py, BSD 3-Clause licence).
    """
    return (files("edgekit.models") / "imagenet_labels.txt").read_text(encoding="utf-8").splitlines()


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as err:
        raise DataError(f"{path} cannot be read ({err.strerror}); give a .pth file of weights") from err
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as err:
        raise DataError(
            f"{path} is not a file of weights that can be read safely ({type(err).__name__}); "
            "give a .pth file that holds a state dict of tensors"
        ) from err
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise DataError(
            f"{path} holds {type(state).__name__}, not tensors by name; give a .pth file with a state dict"
        )
    return state
