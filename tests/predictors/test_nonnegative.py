import numpy as np

from predictors.nonnegative import fit_nonnegative


def test_no_coefficient_is_negative():
    x = np.linspace(1, 2, 12)
    falling = 100 / x
    assert np.all(fit_nonnegative(np.stack([np.ones_like(x), x], axis=1), falling) >= 0)
