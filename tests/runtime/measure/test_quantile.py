"""Quantiles are those of numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.measure.quantile import quantile


@given(st.lists(st.floats(0.001, 1e6), min_size=1, max_size=50), st.floats(0, 1))
def test_it_is_that_of_numpy(samples, share):
    assert quantile(samples, share) == pytest.approx(float(np.quantile(samples, share)), rel=1e-12)


def test_no_samples_have_none():
    with pytest.raises(ValueError, match="give at least one"):
        quantile([], 0.5)
