"""Frame rates of pages whose family was never seen, in a world whose truth is known."""

import numpy as np
import pytest

from predictors import FrameRate, FrameWork, MeanFrames, load_predictor, save_predictor
from tests.predictors.frames.world import CAPACITIES, pages

LEARNERS = ("ridge", "svr")
WORLD = pages(n_pages=72, n_families=24, told=0.95)
SEEN, UNSEEN = WORLD.where(WORLD.family < 16), WORLD.where(WORLD.family >= 16)


def off(fps, world):
    """Return the mean absolute error in frames per second."""
    return np.mean(np.abs(fps - world.truth))


@pytest.fixture(scope="module")
def run():
    """Fitted to pages that ran once."""
    return FrameRate(3, LEARNERS).fit(SEEN.X, SEEN.fps, SEEN.page, SEEN.family)


@pytest.fixture(scope="module")
def unrun():
    """Fitted to pages that never ran."""
    return FrameRate(0, LEARNERS).fit(SEEN.unrun, SEEN.fps, SEEN.page, SEEN.family)


def yardstick():
    columns = [0, 1]
    return MeanFrames().fit(SEEN.X[:, columns], SEEN.fps).predict(UNSEEN.X[:, columns])


def test_pages_of_unseen_families_are_predicted_far_better_than_by_the_mean_of_others(run, unrun):
    mean = off(yardstick(), UNSEEN)
    with pytest.warns(UserWarning, match="extrapolating"):
        assert off(anywhere(unrun).predict(UNSEEN.unrun), UNSEEN) < 0.7 * mean
    assert off(anywhere(run).predict(UNSEEN.X), UNSEEN) < 0.4 * mean


def anywhere(rate):
    """Return a copy that answers beyond its range."""
    rate = load_predictor(save_predictor(rate))
    rate.on_extrapolate = "warn"
    return rate


def test_what_features_tell_is_learnt_beyond_physics():
    waiting = pages(n_pages=72, n_families=24, waits=0.3)
    seen, unseen = waiting.where(waiting.family < 16), waiting.where(waiting.family >= 16)
    physics = FrameRate(3, learners=(), on_extrapolate="warn").fit(seen.X, seen.fps, seen.page, seen.family)
    learnt = FrameRate(3, LEARNERS, on_extrapolate="warn").fit(seen.X, seen.fps, seen.page, seen.family)
    assert physics.chosen_ == "work"
    assert learnt.chosen_.startswith("work+")
    assert off(learnt.predict(unseen.X), unseen) < 0.5 * off(physics.predict(unseen.X), unseen)


def test_features_that_say_nothing_are_not_believed():
    silent = pages(n_pages=40, n_families=10, told=0.0)
    rate = FrameRate(0, LEARNERS).fit(silent.unrun, silent.fps, silent.page, silent.family)
    assert rate.chosen_ == "mean"


def test_a_page_that_was_measured_often_does_not_decide_alone():
    world = pages(n_pages=40, n_families=10)
    physics = FrameRate(3, learners=()).fit(world.X, world.fps, world.page, world.family)
    worst = world.page[np.argmax(np.abs(np.log(physics.held_out_ / world.fps)))]
    often = world.where(np.repeat(np.arange(len(world.page)), np.where(world.page == worst, 40, 1)))
    again = FrameRate(3, learners=()).fit(often.X, often.fps, often.page, often.family)
    assert again.scores_["work"] == pytest.approx(physics.scores_["work"], rel=0.15)


def test_a_faster_core_never_shows_fewer_frames(run, unrun):
    for rate, X in ((run, SEEN.X), (unrun, SEEN.unrun)):
        ladder = np.repeat(X[::7], 40, axis=0)
        ladder[:, 0] = np.tile(np.linspace(CAPACITIES[0], 1, 40), len(X[::7]))
        frames = rate.predict(ladder).reshape(-1, 40)
        low = rate.predict_interval(ladder)[:, 0].reshape(-1, 40)
        assert np.all(np.diff(frames, axis=1) >= -1e-9)
        assert np.all(np.diff(low, axis=1) >= -1e-9)


def test_stated_bounds_hold_for_unseen_families():
    covered, after = [], []
    for seed in range(4):
        world = pages(n_pages=80, n_families=40, noise=0.06, seed=10 + seed)
        seen, unseen = world.where(world.family < 24), world.where(world.family >= 24)
        rate = FrameRate(3, ("ridge",), on_extrapolate="warn").fit(seen.X, seen.fps, seen.page, seen.family)
        low, high = rate.predict_interval(unseen.X).T
        covered.append(np.mean((low <= unseen.fps) & (unseen.fps <= high)))
        for page in np.unique(unseen.page):
            mine = unseen.where(unseen.page == page)
            rows = mine.X[[2]], mine.fps[[2]]
            low, high = rate.predict_interval(mine.X[4:], rate.observe(*rows)).T
            after.append(np.mean((low <= mine.fps[4:]) & (mine.fps[4:] <= high)))
    assert 0.84 < np.mean(covered) < 0.96
    assert 0.84 < np.mean(after) < 0.99


def test_bounds_are_of_what_well_known_rows_scatter_by():
    noisy = pages(n_pages=60, n_families=20, noise=0.02)
    single = np.isin(noisy.page, np.arange(0, 60, 2))  # the others' rows are medians of many runs
    fps = np.where(
        single, noisy.fps * np.exp(0.2 * np.random.default_rng(1).normal(size=len(noisy.fps))), noisy.fps
    )
    fps = np.minimum(fps, 60.0)
    weight = np.where(single, 1.0, 25.0)
    given = (noisy.X, fps, noisy.page, noisy.family, weight)
    wide, narrow = FrameRate(3, ()).fit(*given), FrameRate(3, ()).fit(*given, truths=~single)
    rest = noisy.where(~single)
    low, high = narrow.predict_interval(rest.X).T
    wide_low, wide_high = wide.predict_interval(rest.X).T
    assert np.mean(high / low - 1) < 0.5 * np.mean(wide_high / wide_low - 1)
    assert np.mean((low <= rest.fps) & (rest.fps <= high)) > 0.84


def test_one_throttled_run_of_a_page_corrects_it():
    hidden = pages(n_pages=40, n_families=10, told=0.5)
    seen, unseen = hidden.where(hidden.family < 7), hidden.where(hidden.family >= 7)
    rate = FrameRate(0, LEARNERS, on_extrapolate="warn").fit(seen.unrun, seen.fps, seen.page, seen.family)
    before, after = [], []
    for page in np.unique(unseen.page):
        mine = unseen.where(unseen.page == page)
        rest = mine.where(np.array([0, 1, 3, 4, 5, 6]))
        effect = rate.observe(mine.unrun[[2]], mine.fps[[2]])
        before.append(off(rate.predict(rest.unrun), rest))
        after.append(off(rate.predict(rest.unrun, effect), rest))
    assert np.mean(after) < 0.5 * np.mean(before)


def test_a_page_at_the_refresh_rate_says_little_of_its_speed(run):
    fast = SEEN.X[[6]]
    effect, spread = run.observe(fast, np.array([59.0]))
    slow_effect, slow_spread = run.observe(SEEN.X[[0]], SEEN.fps[[0]])
    assert spread > 0.9 * run.bounds_.spread_ > slow_spread
    assert abs(effect - slow_effect) < 0.5


def test_a_page_unlike_all_others_is_refused(run):
    huge = SEEN.X[:1].copy()
    huge[:, 3:6] *= 20
    assert run.is_inside(SEEN.X).all()
    assert not run.is_inside(huge).any()
    with pytest.raises(ValueError, match=r"log work of a frame is .* training saw"):
        run.predict(huge)
    slow = SEEN.X[:1].copy()
    slow[:, 0] = 0.01
    with pytest.raises(ValueError, match=r"capacity is 0\.01, training saw 0\.08 to 1"):
        run.predict(slow)
    other = SEEN.X[:1].copy()
    other[:, 2] = 3
    with pytest.raises(ValueError, match="core is 3, training saw 0"):
        run.predict(other)


def test_what_was_seen_at_one_speed_holds_for_about_that_speed():
    column, speed = 6, np.log(1800.0)  # behind capacity, refresh rate, core and work
    X = np.insert(SEEN.X, column, speed, axis=1)
    rate = FrameRate(3, ("ridge",), guarded=(0,)).fit(X, SEEN.fps, SEEN.page, SEEN.family)
    for other, is_inside in ((1300.0, True), (2500.0, True), (900.0, False), (3600.0, False)):
        X[:, column] = np.log(other)
        assert rate.is_inside(X).all() == is_inside, other


def test_a_feature_is_called_by_its_name():
    names = ["log_speed", *(f"f{i}" for i in range(10))]
    rate = FrameRate(3, (), names=names, guarded=(0,)).fit(SEEN.X, SEEN.fps, SEEN.page, SEEN.family)
    fast = SEEN.X[:1].copy()
    fast[:, 6] = 99
    with pytest.raises(ValueError, match="log_speed is 99"):
        rate.predict(fast)


def test_work_of_pages_that_never_ran_is_predicted_from_their_features():
    first, other = SEEN.X[::7], UNSEEN.X[::7]
    work = FrameWork(("ridge",)).fit(first[:, 6:], first[:, 3:6], SEEN.family[::7])
    predicted = work.predict(other[:, 6:])
    median = np.median(first[:, 3:6], axis=0)
    truth = other[:, 3:6]
    error = np.abs(np.log(predicted / truth)).mean(axis=0)
    assert work.chosen_ == ["ridge"] * 3
    assert np.all(error[[0, 2]] < 0.8 * np.abs(np.log(median / truth)).mean(axis=0)[[0, 2]])


@pytest.mark.parametrize("learner", ["ridge", "svr", "boosting", "neighbours", "mlp"])
def test_every_learner_predicts_the_same_after_a_round_trip(learner):
    small = pages(n_pages=24, n_families=8)
    rate = FrameRate(0, (learner,)).fit(small.unrun, small.fps, small.page, small.family)
    assert rate.chosen_ == f"mean+{learner}"
    loaded = load_predictor(save_predictor(rate))
    np.testing.assert_array_equal(loaded.predict(small.unrun), rate.predict(small.unrun))
    np.testing.assert_array_equal(loaded.predict_interval(small.unrun), rate.predict_interval(small.unrun))


def test_damaged_parts_of_a_file_are_refused(run):
    for part, name, value in (
        ("curve_", "theta_", np.zeros(3)),
        ("bounds_", "quantiles_", np.full(201, np.nan)),
        ("range_", "columns_", np.array([999])),
    ):
        broken = load_predictor(save_predictor(run))
        setattr(getattr(broken, part), name, value)
        with pytest.raises(ValueError, match="fit it again"):
            load_predictor(save_predictor(broken))


def test_bad_arrays_are_refused():
    with pytest.raises(ValueError, match="at least 3 are needed"):
        FrameRate(3, ()).fit(SEEN.X[:14], SEEN.fps[:14], SEEN.page[:14])
    wrong = SEEN.X.copy()
    wrong[0, 0] = 2
    with pytest.raises(ValueError, match="capacity lies outside 0 to 1"):
        FrameRate(3, ()).fit(wrong, SEEN.fps, SEEN.page)
    with pytest.raises(ValueError, match="only positive"):
        FrameRate(3, ()).fit(SEEN.X, -SEEN.fps, SEEN.page)
