"""What learners look at, and the one that looks at neighbours."""

import numpy as np

from predictors.frames.candidates import NearestPages, TellingColumns


def test_columns_that_tell_nothing_or_the_same_are_left_out():
    rng = np.random.default_rng(0)
    tells, noise = rng.normal(size=60), rng.normal(size=(60, 4))
    X = np.column_stack([np.full(60, 3.0), tells, np.exp(tells), noise])
    chosen = TellingColumns(most=2).fit(X, tells + 0.1 * noise[:, 0])
    assert 1 in chosen.columns_ or 2 in chosen.columns_
    assert not {1, 2} <= set(chosen.columns_.tolist())  # one rises with the other
    assert 0 not in chosen.columns_
    assert chosen.transform(X).shape == (60, 2)
    assert TellingColumns().fit(np.ones((9, 2)), np.arange(9.0)).transform(np.ones((1, 2))).shape == (1, 1)


def test_near_pages_decide_and_far_from_all_the_mean_does():
    X, y = np.array([[0.0], [0.1], [0.2], [9.0]]), np.array([1.0, 1.0, 1.0, 5.0])
    near = NearestPages(count=3).fit(X, y)
    assert near.predict([[0.1]])[0] < 1.4
    assert abs(near.predict([[500.0]])[0] - np.mean(y)) < 0.1
