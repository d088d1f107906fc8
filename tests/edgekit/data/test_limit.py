from dataclasses import replace

import numpy as np
import pytest

from edgekit.data import limit_training, load_dataset
from edgekit.data.limit import balanced
from runtime.errors import DataError


def test_every_class_has_as_many_but_for_one():
    labels = np.array([0] * 50 + [1] * 20 + [2] * 3)
    counts = np.bincount(labels[balanced(labels, 13, seed=0)])
    assert counts.tolist() == [5, 5, 3]  # the third class has no more
    assert sorted(np.bincount(labels[balanced(labels, 8, seed=1)])) == [2, 3, 3]


def test_the_seed_decides_which_and_all_are_different(toy_data):
    first, again, other = (balanced(toy_data.train.labels, 20, seed) for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()
    assert len(set(first)) == 20


def test_only_the_training_images_get_fewer(toy_data):
    limited = limit_training(toy_data, 10)
    assert len(limited.train) == 10
    assert limited.test is toy_data.test
    chosen = balanced(toy_data.train.labels, 10, 0)
    assert np.array_equal(limited.train.batch([3])[0], toy_data.train.batch([chosen[3]])[0])
    assert limit_training(toy_data, 0) is toy_data


@pytest.mark.parametrize("count", [1, 65])
def test_less_than_one_image_per_class_is_refused(toy_data, count):
    with pytest.raises(DataError, match=r"has 2 classes and 64 training images: choose from 2 to 64"):
        limit_training(toy_data, count)


@pytest.mark.parametrize("fields", [None, [("mask", np.uint8, (8, 8)), ("rows", np.float32, 8)]])
def test_images_with_more_than_a_label_are_drawn_by_lot(toy_data, fields):
    labels = np.zeros((64, 8, 8), np.uint8) if fields is None else np.zeros(64, fields)
    labels[3:] = 1
    data = replace(toy_data, train=replace(toy_data.train, labels=labels))
    first, again, other = (limit_training(data, 5, seed).train.batch(range(5))[0] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_files_are_not_read_before_they_are_asked_for():
    digits = load_dataset("digits")
    assert len(limit_training(digits, 100).train.batch(range(5))[0]) == 5
