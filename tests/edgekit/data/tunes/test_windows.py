import numpy as np

from edgekit.data.tunes import Tunes, draw_tunes, tune_dataset


def test_long_tunes_are_cut_and_short_ones_filled():
    long, short = np.arange(300, dtype=np.int16) % 5, np.ones(64, dtype=np.int16)
    split = tune_dataset("two", Tunes((long, short), (short,), "two")).train
    assert len(split) == 3
    assert split.labels.shape == (3, 256)
    assert np.array_equal(np.concatenate([split.labels[0], split.labels[1]])[:300], long)
    assert [(row >= 0).sum() for row in split.labels] == [256, 44, 64]


def test_a_batch_ends_with_its_longest_tune():
    short, eight_bars = np.ones(64, dtype=np.int16), draw_tunes(1)[0]
    split = tune_dataset("two", Tunes((short, eight_bars), (short,), "two")).train
    inputs, targets = split.batch([0, 1])
    assert inputs.shape == (2, 128)
    assert np.array_equal(inputs, targets)
    assert split.batch([0])[0].shape == (1, 64)
