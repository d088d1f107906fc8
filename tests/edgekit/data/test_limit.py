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


def test_files_are_not_read_before_they_are_asked_for():
    digits = load_dataset("digits")
    assert len(limit_training(digits, 100).train.batch(range(5))[0]) == 5
