import math

import numpy as np
import pytest
import torch

from edgekit.tasks import Batch, Classification
from runtime.errors import DataError

LOGITS = torch.tensor([[0.0, 0.0], [0.0, math.log(3.0)]])  # probabilities (1/2, 1/2) and (1/4, 3/4)


def cross_entropy(task, logits, labels):
    (loss,) = task.losses(lambda inputs: inputs, Batch(logits, torch.tensor(labels))).values()
    return loss.item()


def test_loss_is_the_mean_cross_entropy():
    expected = (math.log(2) - math.log(0.75)) / 2
    assert math.isclose(cross_entropy(Classification(), LOGITS, [0, 1]), expected, rel_tol=1e-6)


def test_label_smoothing_spreads_a_share_over_all_classes():
    # 0.2 smoothing of 2 classes: target (0.9, 0.1)
    expected = -(0.1 * math.log(0.25) + 0.9 * math.log(0.75))
    loss = cross_entropy(Classification(label_smoothing=0.2), LOGITS[1:], [1])
    assert math.isclose(loss, expected, rel_tol=1e-6)


def test_the_score_is_the_share_that_is_right():
    labels = np.array([0, 1, 0])
    results = Classification().decode([np.eye(3, dtype=np.float32)], labels)
    assert results.tolist() == [0, 1, 2]
    assert Classification().score(results, labels) == 2 / 3


def test_labels_beyond_the_scores_are_refused():
    with pytest.raises(DataError, match="gives 3 scores, a label is 3"):
        Classification().decode([np.eye(3, dtype=np.float32)], np.array([0, 1, 3]))
