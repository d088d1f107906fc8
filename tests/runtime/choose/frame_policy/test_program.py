"""The dynamic program and the plans that follow from it, against every schedule tried."""

import itertools

import numpy as np
import pytest

from runtime.choose.frame_policy.frontier import frontier
from runtime.choose.frame_policy.plans import follow
from runtime.choose.frame_policy.program import STEPS_PER_PERIOD, solve

POINTS = frontier(np.array([1.0, 2.0, 4.0]), np.array([100.0, 300.0, 1200.0]))
LEVEL = np.array([0.25])


class FewEnds:
    """A frame ends at one of four ratios."""

    edges, share = np.array([1.0, 1.5, 2.0, 3.0]), np.array([0.6, 0.25, 0.1, 0.05])

    def bins(self):
        return self.edges, self.share


def expected_cost(ranks, miss_penalty, deadline=1.0, from_moment=0.0):
    """Energy and penalty for lateness of one frame whose bins run at ``ranks``; a change takes no time."""
    width = np.diff(FewEnds.edges, prepend=0.0) * LEVEL[0]
    ranks = list(ranks)
    took = np.cumsum(width * (POINTS.time / POINTS.time[-1])[ranks]) + from_moment
    spent = np.cumsum(width * (POINTS.energy / POINTS.energy[-1])[ranks])
    return float(FewEnds.share @ (spent + miss_penalty * (took > deadline + 1e-9)))


def ranks_of(plan_rank, plan_until, from_moment=0.0):
    """The rank of each bin of a plan."""
    width = np.diff(FewEnds.edges, prepend=0.0) * LEVEL[0]
    passed, found = 0.0, []
    for work in width:
        rank = plan_rank[np.searchsorted(plan_until, passed + 1e-6)]
        found.append(int(rank))
        passed += work * (POINTS.time / POINTS.time[-1])[rank]
    return found


@pytest.mark.parametrize("miss_penalty", [0.5, 2.0, 20.0])
def test_a_plan_costs_no_more_than_the_best_of_all_schedules(miss_penalty):
    # No schedule that pays runs over the end of the period by much, so the frame behind plays no part.
    choices = solve(POINTS, FewEnds(), LEVEL, deadline=1.0, miss_penalty=miss_penalty, transition=0.0)
    rank, until = follow(choices, POINTS, LEVEL, 0.0)
    got = expected_cost(ranks_of(rank[0, 0], until[0, 0]), miss_penalty)
    best = min(expected_cost(ranks, miss_penalty) for ranks in itertools.product(range(3), repeat=4))
    assert best <= got <= 1.05 * best  # the grid is a 24th of a period


def test_a_dear_late_frame_is_met_by_speeding_up():
    choices = solve(POINTS, FewEnds(), LEVEL, deadline=1.0, miss_penalty=50.0, transition=0.0)
    rank, until = follow(choices, POINTS, LEVEL, 0.0)
    found = ranks_of(rank[0, 0], until[0, 0])
    assert found == sorted(found)
    assert found[0] < 2
    assert expected_cost(found, 1e6) < 1e4  # never late


def test_with_a_longer_deadline_frames_make_up_for_each_other():
    strict, buffered = (
        solve(POINTS, FewEnds(), np.array([0.3]), deadline=periods, miss_penalty=20.0, transition=0.0)
        for periods in (1.0, 2.0)
    )
    assert buffered.cost[0] < 0.9 * strict.cost[0]


def test_a_frame_that_begins_late_is_run_faster():
    choices = solve(POINTS, FewEnds(), LEVEL, deadline=1.0, miss_penalty=5.0, transition=0.0)
    rank, _ = follow(choices, POINTS, LEVEL, 0.0)
    assert rank[0, STEPS_PER_PERIOD // 2, 0] > rank[0, 0, 0]


def test_a_change_that_takes_long_is_not_planned():
    at_once, slowly = (
        follow(
            solve(POINTS, FewEnds(), LEVEL, deadline=1.0, miss_penalty=5.0, transition=lost),
            POINTS,
            LEVEL,
            lost,
        )[1][0, 0]
        for lost in (0.0, 0.4)
    )
    assert np.isfinite(slowly).sum() < np.isfinite(at_once).sum()
