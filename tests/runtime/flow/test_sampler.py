"""Draws that are the same everywhere."""

import numpy as np
import pytest

from runtime.errors import DataError
from runtime.flow.sampler import Sampler

ROWS = 2 * np.sin(1.7 * np.arange(4800.0).reshape(400, 12) ** 1.1)


def draws(rows, seed=7, **how):
    sampler = Sampler(seed)
    return [sampler.draw(row, **how) for row in rows], sampler


def test_a_seed_gives_these_numbers_for_ever():
    numbers, _ = draws(ROWS[:20], temperature=0.9, top_k=8)
    assert numbers == [7, 10, 8, 3, 5, 9, 1, 8, 11, 3, 4, 2, 2, 7, 7, 7, 11, 9, 8, 10]


def test_last_bits_of_the_scores_change_nothing():
    noise = np.random.default_rng(1).uniform(-1e-7, 1e-7, ROWS.shape)
    exact, sampler = draws(ROWS, temperature=0.9, top_k=5)
    assert draws(ROWS + noise, temperature=0.9, top_k=5)[0] == exact
    assert draws(ROWS.astype(np.float32), temperature=0.9, top_k=5)[0] == exact
    assert 1e-7 < sampler.closest < 1e-2


def test_scores_that_change_places_move_no_other_share():
    """With shares in the order of the scores, numbers 1 and 2 would swap."""
    almost = np.array([0.0, 1.0, 1.0 + 1e-9])
    swapped = np.array([0.0, 1.0 + 1e-9, 1.0])
    assert draws([almost] * 200)[0] == draws([swapped] * 200)[0]


def test_shares_are_those_of_softmax():
    numbers, _ = draws([np.log([0.5, 0.3, 0.2])] * 4000)
    np.testing.assert_allclose(np.bincount(numbers) / 4000, [0.5, 0.3, 0.2], atol=0.03)


def test_temperature_and_top_k():
    assert draws(ROWS, temperature=0)[0] == list(ROWS.argmax(axis=1))
    assert draws([np.zeros(4)] * 9, temperature=0)[0] == [0] * 9
    best = np.argsort(-ROWS, axis=1)[:, :3]
    assert all(n in three for n, three in zip(draws(ROWS, top_k=3)[0], best, strict=True))


def test_streams_and_seeds_differ():
    one, _ = draws(ROWS)
    assert one != draws(ROWS, seed=8)[0]
    other = Sampler(7, stream=1)
    assert one != [other.draw(row) for row in ROWS]


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="infinite or no numbers"):
        Sampler(0).draw(np.array([0.0, np.nan]))
    with pytest.raises(ValueError, match="from 0"):
        Sampler(-1)
