import numpy as np
import pytest

from edgekit.data import random_crop, random_flip

PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3, 1)


def test_crop_without_padding_changes_nothing():
    assert (random_crop(PIXELS, 0, np.random.default_rng(0)) == PIXELS).all()


def test_crop_shifts_each_image_and_repeats_its_edge():
    shifted = random_crop(PIXELS, 1, np.random.default_rng(0))
    padded = np.pad(PIXELS, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    top, left = np.random.default_rng(0).integers(0, 3, size=(2, 2))
    for n in range(2):
        assert (shifted[n] == padded[n, top[n] : top[n] + 3, left[n] : left[n] + 3]).all()


def test_crop_reaches_every_shift():
    images = np.tile(np.arange(3, dtype=np.uint8).reshape(1, 1, 3, 1), (64, 1, 1, 1))
    rows = {tuple(image.ravel().tolist()) for image in random_crop(images, 1, np.random.default_rng(0))}
    assert rows == {(0, 0, 1), (0, 1, 2), (1, 2, 2)}


def test_crop_refuses_negative_padding():
    with pytest.raises(ValueError, match="padding is -1"):
        random_crop(PIXELS, -1, np.random.default_rng(0))


def test_flip_mirrors_about_half_of_the_images_and_no_other():
    images = np.tile(np.array([1, 2, 3], dtype=np.uint8).reshape(1, 1, 3, 1), (200, 1, 1, 1))
    flipped = random_flip(images, np.random.default_rng(0)).reshape(200, 3).tolist()
    mirrored = flipped.count([3, 2, 1])
    assert mirrored + flipped.count([1, 2, 3]) == 200
    assert 70 < mirrored < 130
