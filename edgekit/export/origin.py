"""Where an exported model comes from: a checkpoint, the zoo, or a file of the user."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import nn

from edgekit.export.graph import Origin
from edgekit.export.preprocess import N_INPUTS, on_pictures, read_pictures
from edgekit.export.user_model import load_user_model
from edgekit.models import (
    MODELS,
    WEIGHTS,
    ModelSpec,
    Pretrained,
    build_model,
    count_macs,
    count_parameters,
    pretrained,
)
from edgekit.models.user_code import is_user_model
from edgekit.tasks import Examples
from runtime.bundle import ImageSpec
from runtime.engines.model_file import ENGINE_OF
from runtime.errors import CheckpointError

RANDOM_WEIGHTS = "none"


def find_origin(
    model: str,
    *,
    weights: str | Path | None = None,
    inputs: str | Path | None = None,
    data_root: str | Path | None = None,
    input_shapes: Sequence[Sequence[int]] = (),
) -> Origin:
    """Return the model that ``model`` names.

    Args:
        model: folder of a checkpoint, the name of a model of the zoo, or ``path/to/file.py:function``,
            see ``user_model``.
        weights: for a model of the zoo: a file of ImageNet weights instead of the published one, or
            ``none`` for random ones, which are enough to measure latency.
        inputs: an image or a folder of images to check on; default: test images of the
            checkpoint's dataset, the photographs that come with scikit-learn, or what a file of the
            user gives.
        data_root: where the files of the checkpoint's dataset are.
        input_shapes: for a function that returns a module without inputs: shape of each.

    Raises:
        ValueError: neither a checkpoint nor a model, near matches are named; or a setting does not
            go with it.
        CheckpointError, DataError, MissingExtra: what it takes cannot be read.
        ExportError: the user's function fails.
    """
    if is_user_model(model):
        if weights is not None:
            raise ValueError(
                f"--weights does not go with {model}: its function makes the model; leave it out"
            )
        origin = load_user_model(model, input_shapes)
        return origin if inputs is None else on_pictures(origin, Path(inputs))
    if input_shapes:
        raise ValueError(f"--input-shape goes with path/to/file.py:function; {model} knows its input")
    if Path(model).is_dir():
        if weights is not None:
            raise ValueError(f"--weights goes with a model's name, but {model} is a checkpoint with its own")
        return _from_checkpoint(Path(model), inputs, data_root)
    if Path(model).suffix in ENGINE_OF:
        raise ValueError(
            f"{model} is exported already; edgekit bench, profile and inspect take it as it is: give a "
            "model, a checkpoint or path/to/file.py:function"
        )
    if model not in MODELS and ("/" in model or "\\" in model):
        raise CheckpointError(f"there is no checkpoint at {model}; make one with: edgekit train")
    return _from_zoo(model, weights, inputs)


def _from_checkpoint(path: Path, inputs: str | Path | None, data_root: str | Path | None) -> Origin:
    from edgekit.data import load_dataset
    from edgekit.training import load_checkpoint

    checkpoint = load_checkpoint(path)
    task = checkpoint.make_task()
    image = checkpoint.image
    if inputs is not None and image is None:
        raise ValueError(f"{path} is for {task.name}, which takes no pictures; leave --inputs out")
    if inputs is None:
        size = None if image is None else image.size
        split = task.view(load_dataset(checkpoint.dataset, root=data_root, image_size=size)).test
        count = min(N_INPUTS, len(split))
        arrays, _ = split.batch(np.linspace(0, len(split) - 1, count).astype(int))
        described = f"test {'examples' if image is None else 'images'} of {checkpoint.dataset}"
    else:
        arrays, described = read_pictures(Path(inputs), image)
    model = checkpoint.build()
    facts: dict[str, Any] = {
        "checkpoint": {"folder": path.name, "sha256": checkpoint.sha256},
        "dataset": checkpoint.dataset,
        "metrics": checkpoint.metrics,
        "recipe": checkpoint.recipe,
    }
    if checkpoint.pruning is not None:
        facts |= {"pruning": checkpoint.pruning, "plan": msgspec.to_builtins(checkpoint.plan)}
    if checkpoint.task is not None:
        facts["task"] = msgspec.to_builtins(checkpoint.task)
    return Origin(
        name=path.name,
        graphs=task.graphs(model, Examples(arrays, described, image)),
        labels=checkpoint.labels,
        facts=_costs(model, checkpoint.spec, image) | facts,
        task=task,
    )


def _from_zoo(name: str, weights: str | Path | None, inputs: str | Path | None) -> Origin:
    if str(weights) == RANDOM_WEIGHTS:
        spec, model, image, labels = _random(name)
        origin = "random"
    else:
        spec, model, image, labels = pretrained(name, weights)
        file = "a file of the user" if weights is not None else WEIGHTS[name].file.name
        origin = f"ImageNet, {file}"
    if inputs is None:
        from PIL import Image
        from sklearn.datasets import load_sample_images

        from runtime.processing.images import preprocess

        photos = load_sample_images().images
        arrays = np.concatenate([preprocess(Image.fromarray(photo), image) for photo in photos])
        described = "photographs of scikit-learn"
    else:
        arrays, described = read_pictures(Path(inputs), image)
    return Origin.of_images(
        name=name,
        model=model,
        image=image,
        labels=tuple(labels),
        inputs=arrays,
        described=described,
        facts=_costs(model, spec, image) | {"weights": origin},
    )


def _random(name: str) -> Pretrained:
    entry = MODELS.get(name)
    spec = ModelSpec(name, num_classes=entry.num_classes, image_size=entry.image_size)
    image = ImageSpec(entry.image_size, entry.image_size, (0.5,) * 3, (0.5,) * 3)
    torch.manual_seed(0)
    return Pretrained(spec, build_model(spec).eval(), image, [])


def _costs(model: nn.Module, spec: ModelSpec, image: ImageSpec | None) -> dict[str, Any]:
    if image is None:  # what its graphs cost stands in their workloads
        return {"params": count_parameters(model)}
    macs = count_macs(model, (image.channels, image.size, image.size))
    # A bundle goes to others: folders of this machine do not.
    return {
        "model": msgspec.to_builtins(spec) | {"name": spec.label},
        "macs": macs,
        "params": count_parameters(model),
    }
