"""Frame rates on another machine, and on one that has changed."""

import numpy as np
import pytest

from predictors import (
    FrameRate,
    OnlineFrames,
    choose_samples,
    load_predictor,
    save_predictor,
    transfer_frames,
)
from tests.predictors.frames.world import CAPACITIES, pages

N = len(CAPACITIES)
WORLD = pages(n_pages=60, n_families=15)
SLOWER = pages(n_pages=60, n_families=15, fast=0.6)


@pytest.fixture(scope="module")
def source():
    return FrameRate(0, ("ridge",), on_extrapolate="warn").fit(
        WORLD.unrun, WORLD.fps, WORLD.page, WORLD.family
    )


def off_pct(rate, world):
    return 100 * np.mean(np.abs(rate.predict(world.unrun) / world.truth - 1))


def test_eighteen_pages_carry_a_predictor_to_another_machine(source):
    chosen = choose_samples(WORLD.unrun[::N, 3:], n_clusters=9)
    some = np.isin(SLOWER.page, chosen)
    there, rest = SLOWER.where(some), SLOWER.where(~some)
    moved, scores, name = transfer_frames(source, there.unrun, there.fps, there.page)
    assert 15 <= len(chosen) <= 18
    assert name != "source"
    assert scores[name] < 0.5 * scores["source"]
    at_home = off_pct(source, WORLD)
    assert off_pct(source, rest) > at_home + 15
    assert off_pct(moved, rest) < at_home + 7
    low, high = moved.predict_interval(rest.unrun).T
    assert np.mean((low <= rest.fps) & (rest.fps <= high)) > 0.8


def test_the_same_machine_needs_no_correction(source):
    some = WORLD.where(WORLD.page < 18)
    _, _, name = transfer_frames(source, some.unrun, some.fps, some.page)
    assert name in ("source", "offset")
    with pytest.raises(ValueError, match="at least 3 pages"):
        transfer_frames(source, some.unrun[:N], some.fps[:N], some.page[:N])


def test_a_machine_that_got_slower_is_noticed_and_followed(source):
    slow = np.flatnonzero(WORLD.X[:, 0] < 0.25)
    rows = np.random.default_rng(0).permutation(slow)[:40]
    online = OnlineFrames(source).partial_fit(WORLD.unrun[rows[:10]], WORLD.fps[rows[:10]])
    assert online.drifts_ == 0
    online.partial_fit(SLOWER.unrun[rows], SLOWER.fps[rows])
    assert online.drifts_ >= 1
    assert online.offset_ < -0.3
    rest = SLOWER.where(np.setdiff1d(slow, rows))
    assert off_pct(online, rest) < 0.6 * off_pct(source, rest)
    loaded = load_predictor(save_predictor(online))
    np.testing.assert_array_equal(loaded.predict(rest.unrun), online.predict(rest.unrun))


def test_gestures_at_the_refresh_rate_correct_nothing(source):
    fast = WORLD.where(WORLD.X[:, 0] == 1.0)
    online = OnlineFrames(source).partial_fit(fast.unrun, fast.fps)
    assert (online.drifts_, online.offset_) == (0, 0.0)


def test_wide_bounds_are_not_trusted():
    hidden = pages(n_pages=40, n_families=10, told=0.5)
    rate = FrameRate(0, ("ridge",)).fit(hidden.unrun, hidden.fps, hidden.page, hidden.family)
    online = OnlineFrames(rate).partial_fit(hidden.unrun[:1], hidden.fps[:1])
    slow, fast = hidden.unrun[hidden.X[:, 0] == CAPACITIES[0]], hidden.unrun[hidden.X[:, 0] == 1.0]
    assert online.is_trusted(fast).all()
    assert not online.is_trusted(slow).any()
