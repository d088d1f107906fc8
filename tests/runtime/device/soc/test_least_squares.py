"""Polynomials are those of numpy."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runtime.device.soc.least_squares import evaluate, fit_polynomial

PLACE = st.floats(0.5, 3000).map(lambda x: round(x, 2))
POINT = st.tuples(PLACE, st.floats(1, 5000), st.floats(1e-3, 1e3))


@given(st.lists(POINT, min_size=4, max_size=20, unique_by=lambda p: p[0]), st.sampled_from([1, 2]))
def test_it_is_that_of_numpy(points, degree):
    x, y, weights = zip(*points, strict=True)
    matrix = np.vander(x, degree + 1) * np.sqrt(weights)[:, None]
    assume(np.linalg.cond(matrix / np.linalg.norm(matrix, axis=0)) < 1e4)  # else numpy's own digits go
    ours = fit_polynomial(x, y, weights, degree)
    theirs = np.polyfit(x, y, degree, w=np.sqrt(weights))
    for place in x:
        assert evaluate(ours, place) == pytest.approx(np.polyval(theirs, place), rel=1e-6, abs=1e-5)


def test_points_that_do_not_determine_it():
    assert fit_polynomial([2.0, 2.0], [1.0, 3.0], [1.0, 1.0], 1) is None
