"""Latencies that fall with the clock."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.choose.decision.isotone import LEAST_SLOPE, falling

ladders = st.lists(
    st.tuples(st.integers(100_000, 3_000_000), st.floats(0.1, 1000)),
    min_size=1,
    max_size=20,
    unique_by=lambda p: p[0],
).map(sorted)


@given(ladders)
def test_they_fall_and_keep_their_geometric_mean(ladder):
    clocks_khz, latencies_ms = zip(*ladder, strict=True)
    found = falling(clocks_khz, latencies_ms)
    for (low_khz, high_khz), (slow_ms, fast_ms) in zip(
        itertools.pairwise(clocks_khz), itertools.pairwise(found), strict=True
    ):
        assert slow_ms >= fast_ms * (high_khz / low_khz) ** LEAST_SLOPE * (1 - 1e-9)
    assert sum(map(math.log, found)) == pytest.approx(sum(map(math.log, latencies_ms)), abs=1e-6)


@given(ladders)
def test_what_falls_already_stays_as_it_is(ladder):
    clocks_khz, latencies_ms = zip(*ladder, strict=True)
    found = falling(clocks_khz, latencies_ms)
    assert falling(clocks_khz, found) == pytest.approx(found)


def test_only_the_clocks_that_disagree_are_moved():
    found = falling([1, 2, 3, 4], [40.0, 10.0, 12.0, 5.0])
    assert (found[0], found[3]) == (pytest.approx(40.0), pytest.approx(5.0))
    assert found[1] > found[2]
    assert 10.0 < found[2] < found[1] < 12.0
