"""Recipe files that come with edgekit: each network is built, its techniques made, its pruning shared out."""

import numpy as np
import pytest
import torch

from edgekit.data import Dataset, Split, load_dataset
from edgekit.models import MODELS, ModelSpec, build_model
from edgekit.models.surgery.groups import ChannelGraph
from edgekit.pruning import METHODS, read_pruning
from edgekit.tasks import Classification
from edgekit.training import Trainer, fit_spec, list_recipe_files, load_recipe_file, make_techniques
from edgekit.training.run import own_hooks
from runtime.bundle import ImageSpec

CHANNELS = {"digits": (1, 8), "fashion-mnist": (1, 28), "cifar10": (3, 32), "folder": (3, 224)}


def like(name, size):
    """Return a dataset of noise with the classes, channels and sides of the one called ``name``."""
    channels, own = CHANNELS[name]
    side = size or own
    image = ImageSpec(side, side, (0.5,) * channels, (0.25,) * channels, channels)
    labels = np.arange(40) % 10
    pixels = np.zeros((40, side, side, channels), dtype=np.uint8)
    split = Split(pixels, labels, image)
    return Dataset(name, split, split, [str(i) for i in range(10)], image)


@pytest.mark.parametrize("name", list_recipe_files())
def test_a_recipe_builds_its_network_with_all_that_trains_it(name):
    file = load_recipe_file(name)
    size = file.named.model.get("image_size")
    dataset = load_dataset("drawn-tunes") if file.data == "tunes" else like(file.data, size)
    spec = fit_spec(ModelSpec(file.model, **file.named.model), dataset)
    recipe, task = file.named.recipe, (file.task or Classification()).fitted(dataset)
    Trainer(task.build(spec), recipe, own_hooks(recipe), task, make_techniques(recipe, dataset))


@pytest.mark.parametrize("name", [n for n in list_recipe_files() if load_recipe_file(n).prune])
def test_the_pruning_of_a_recipe_has_something_to_remove(name):
    file = load_recipe_file(name)
    dataset = like(file.data, file.named.model.get("image_size"))
    how = read_pruning(file.prune, name)
    model = build_model(fit_spec(ModelSpec(file.model, **file.named.model), dataset))
    example = torch.zeros(1, dataset.image.channels, dataset.image.size, dataset.image.size)
    groups = ChannelGraph(model, example).groups(how.budget.scope)
    allocation = how.budget.allocation(model, example)
    METHODS.get(how.method)(groups, allocation, **how.options)
    scores = {group.name: torch.rand(group.channels) for group in groups}
    assert sum(allocation.counts(groups, scores).values()) > 0


def test_every_kind_of_network_has_a_recipe():
    used = {load_recipe_file(name).model for name in list_recipe_files()}
    assert set(MODELS.names()) - used == {"efficientnet_lite1"}  # as Lite0 and Lite2
