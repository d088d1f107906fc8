"""Random erasing and PatchShuffle."""

import numpy as np
import pytest
import torch

from edgekit.training import evaluate
from edgekit.training.techniques.patch_shuffle import PatchShuffle, shuffle_patches
from edgekit.training.techniques.random_erasing import RandomErasing
from edgekit.training.techniques.shuffled_maps import shuffle_maps

SIDE = 40


def rng():
    return np.random.default_rng(0)


def boxes(count=400, **options):
    """Return (height, width) of each image's rectangle; images are 0, and noise nearly never is."""
    images = np.zeros((count, SIDE, SIDE, 3), dtype=np.uint8)
    erased = RandomErasing(**options).augment(images, rng()).any(-1)
    assert not images.any()  # the batch that came in is left alone
    found = []
    for image in erased:
        rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
        if len(rows):
            box = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            assert box.mean() > 0.95  # one full rectangle
            found.append(box.shape)
    return np.array(found)


def test_erased_areas_and_aspects_are_those_of_the_paper():
    found = boxes(probability=1.0)
    assert len(found) == 400
    area, aspect = found.prod(1) / SIDE**2, found[:, 0] / found[:, 1]
    assert 0.015 < area.min() < 0.04
    assert 0.35 < area.max() < 0.42
    assert 0.28 < aspect.min() < 0.5
    assert 2 < aspect.max() < 3.7
    assert area.mean() == pytest.approx(0.21, abs=0.03)  # of U(0.02, 0.4)


def test_a_share_of_the_images_is_erased():
    assert 160 < len(boxes(probability=0.5)) < 240


def test_the_fill_is_noise_in_every_colour():
    image = np.zeros((1, SIDE, SIDE, 3), dtype=np.uint8)
    filled = RandomErasing(probability=1.0, least=0.4).augment(image, rng())[0]
    values = filled[filled.any(-1)]
    assert values.mean() == pytest.approx(127.5, abs=6)
    assert (values[:, 0] != values[:, 1]).mean() > 0.9


def test_every_patch_keeps_its_pixels():
    images = rng().integers(0, 256, size=(5, 6, 9, 3), dtype=np.uint8)
    shuffled = shuffle_patches(images, 3, rng())
    assert (shuffled != images).any()
    for row in (0, 3):
        for column in (0, 3, 6):
            was, now = (x[:, row : row + 3, column : column + 3].reshape(5, 9, 3) for x in (images, shuffled))
            for before, after in zip(was, now, strict=True):  # whole pixels: colours stay together
                assert sorted(map(tuple, before.tolist())) == sorted(map(tuple, after.tolist()))


def test_patches_are_permuted_apart_from_each_other():
    images = np.tile(np.arange(9, dtype=np.uint8).reshape(1, 3, 3, 1), (2, 8, 8, 1))
    patches = shuffle_patches(images, 3, rng()).reshape(2, 8, 3, 8, 3).swapaxes(2, 3).reshape(-1, 9)
    assert len(np.unique(patches, axis=0)) > 100  # of 128


def test_pixels_beyond_the_last_whole_patch_stay():
    images = rng().integers(0, 256, size=(3, 5, 7, 1), dtype=np.uint8)
    shuffled = shuffle_patches(images, 2, rng())
    assert (shuffled[:, 4:] == images[:, 4:]).all()
    assert (shuffled[:, :, 6:] == images[:, :, 6:]).all()


def test_a_share_of_the_images_is_shuffled():
    images = np.tile(np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1), (1000, 1, 1, 1))
    changed = (PatchShuffle(0.2).augment(images, rng()) != images).any((1, 2, 3))
    assert 150 < changed.sum() < 250


def test_every_patch_of_a_feature_map_keeps_its_values_and_every_map_has_its_own_order():
    maps = torch.arange(7 * 6.0).reshape(1, 1, 6, 7).repeat(40, 20, 1, 1).requires_grad_()
    found = shuffle_maps(maps, 0.5, 3, torch.Generator().manual_seed(0))
    changed = (found != maps).flatten(2).any(2)
    assert 0.4 < changed.float().mean() < 0.6
    assert torch.equal(found[..., 6:], maps[..., 6:])  # beyond the last whole patch
    for row in (0, 3):
        for column in (0, 3):
            was, now = (x[..., row : row + 3, column : column + 3].reshape(-1, 9) for x in (maps, found))
            assert torch.equal(was.sort(1).values, now.sort(1).values)
    assert len(found.detach().flatten(0, 1)[changed.flatten()].unique(dim=0)) > 350
    found.sum().backward()
    assert torch.equal(maps.grad, torch.ones_like(maps))  # gradients find their way back


def test_feature_maps_are_shuffled_while_training_alone(fit, toy_data):
    trainer = fit(
        {"patch-shuffle": {"probability": 0.0, "maps": 1.0, "side": 8}}, epochs=1
    )  # pooling undoes smaller ones
    assert trainer.log[0]["train_loss"] != fit(epochs=1).log[0]["train_loss"]
    assert trainer.log[0]["test_top1"] == evaluate(trainer.model, toy_data.test)
    x = torch.rand(4, 1, 8, 8)
    assert torch.equal(trainer.model.train()[0](x), trainer.model[0](x))  # nothing is left of it


@pytest.mark.parametrize("name", ["random-erasing", "patch-shuffle"])
def test_only_training_images_are_changed(name, fit, toy_data):
    trainer = fit({name: {"probability": 1.0}}, epochs=1)
    assert trainer.log[0]["test_top1"] == evaluate(trainer.model, toy_data.test)
    images = trainer.dataset.train.images
    assert (images == toy_data.train.images).all()
    assert fit(epochs=1).log[0]["train_loss"] != trainer.log[0]["train_loss"]
