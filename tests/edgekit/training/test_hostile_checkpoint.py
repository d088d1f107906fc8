"""A checkpoint that asks for terabytes is refused before any memory is."""

import msgspec
import pytest
import torch

from edgekit.models import ModelSpec, build_model
from edgekit.pruning.start import recipe_of
from edgekit.training import load_checkpoint, save_checkpoint
from edgekit.training.checkpoint import CHECKPOINT_FILE
from runtime.bundle import ImageSpec
from runtime.errors import CheckpointError, EdgekitError

SPEC = ModelSpec("resnet20", num_classes=2, width=0.25, image_size=8, in_channels=1)


@pytest.fixture
def folder(tmp_path):
    save_checkpoint(
        tmp_path / "run",
        build_model(SPEC),
        spec=SPEC,
        dataset="toy",
        image=ImageSpec(8, 8, (0.5,), (0.5,), channels=1),
        labels=("a", "b"),
        recipe={"epochs": 1},
        metrics={},
    )
    return tmp_path / "run"


def change(folder, name, value):
    document = msgspec.json.decode((folder / CHECKPOINT_FILE).read_bytes())
    document[name] = (document[name] or {}) | value
    (folder / CHECKPOINT_FILE).write_bytes(msgspec.json.encode(document))


@pytest.mark.parametrize(
    "spec",
    [{"num_classes": 2**40}, {"num_classes": 2**62}, {"in_channels": 2**45}, {"width": 8.0, "kernels": 64}],
)
def test_a_network_far_larger_than_its_weights_is_refused(folder, spec):
    change(folder, "spec", {"act": "dyrelu-b", "dynamic_conv": "pointwise", "name": "mobilenet_v2"} | spec)
    with pytest.raises(CheckpointError, match=r"describes a network of|describes no network"):
        load_checkpoint(folder).build()


def test_a_pruned_one_is_proved_on_an_image_of_any_size(folder):
    name = [name for name, layer in build_model(SPEC).named_modules() if isinstance(layer, torch.nn.Conv2d)][
        1
    ]
    change(folder, "image", {"size": 16_000, "resize": 16_000})
    change(folder, "plan", {name: [0]})
    with pytest.raises(EdgekitError):  # soon: the weights are of the whole network
        load_checkpoint(folder).build()


def test_an_image_that_fits_no_memory_is_refused(folder):
    change(folder, "image", {"size": 10**9, "resize": 10**9})
    with pytest.raises(CheckpointError, match="0 < size <= resize <= 16384"):
        load_checkpoint(folder)


@pytest.mark.parametrize("recipe", [{"epochs": "many"}, {"lr": 5e-324}])  # half of that is 0
def test_a_recipe_that_does_not_fit_is_one_error_of_ours(folder, recipe):
    change(folder, "recipe", recipe)
    with pytest.raises(CheckpointError, match=r"the recipe of .* does not fit"):
        recipe_of(load_checkpoint(folder))
