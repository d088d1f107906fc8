"""Two staircases find where a made-up user's answers turn."""

import random

import pytest

from runtime.web.governing.staircase import LOWEST_FPS, find_threshold, rungs_of


def ask(accepted_fps, seed=0, unsure=0.0):
    """Ask somebody who accepts so many frames, and errs near that."""
    shown, dice = [], random.Random(seed)

    def show(fps):
        shown.append(fps)
        return fps

    def answer(number):
        return shown[-1] * dice.uniform(1 - unsure, 1 + unsure) >= accepted_fps

    return find_threshold(60.0, show, answer, seed)


@pytest.mark.parametrize("accepted_fps", [9.0, 15.0, 23.0, 32.0, 50.0])
def test_what_somebody_accepts_is_found_within_a_rung(accepted_fps):
    found = ask(accepted_fps)
    assert found.fps == pytest.approx(accepted_fps, rel=0.1)
    assert found.low_fps <= found.fps <= found.high_fps
    assert len(found.showings) <= 24


def test_somebody_who_is_not_sure_is_found_on_average():
    found = [ask(30.0, seed, unsure=0.2).fps for seed in range(20)]
    assert sum(found) / len(found) == pytest.approx(30.0, rel=0.08)


@pytest.mark.parametrize(("accepted_fps", "ends_at"), [(1.0, min(rungs_of(60.0))), (999.0, 60.0)])
def test_somebody_to_whom_all_is_alike_ends_at_the_end(accepted_fps, ends_at):
    assert ask(accepted_fps).fps == pytest.approx(ends_at)
    assert min(rungs_of(60.0)) >= LOWEST_FPS


def test_nobody_can_guess_what_comes_and_the_same_seed_asks_the_same():
    orders = [tuple(round(each.fps) for each in ask(30.0, seed).showings[:6]) for seed in (1, 2, 1)]
    assert orders[0] == orders[2]
    assert orders[0] != orders[1]


def test_what_was_displayed_counts_not_what_was_asked_for():
    found = find_threshold(60.0, show=lambda fps: min(fps, 40.0), ask=lambda number: number % 2 == 0)
    assert max(each.fps for each in found.showings) == 40.0
    assert found.high_fps <= 40.0
