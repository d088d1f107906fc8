import numpy as np
import pytest

from runtime.choose.simulation import Frames, periodic


def test_frames_must_fit_together():
    with pytest.raises(ValueError, match="sort"):
        Frames(np.array([[1.0, 0.0]]), np.array([[2.0, 1.0]]), np.ones((1, 2)))
    with pytest.raises(ValueError, match="fps is 0"):
        periodic(np.ones(3), 0)
