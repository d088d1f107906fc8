import math

import torch

from edgekit.training import Classification

LOGITS = torch.tensor([[0.0, 0.0], [0.0, math.log(3.0)]])  # probabilities (1/2, 1/2) and (1/4, 3/4)


def test_loss_is_the_mean_cross_entropy():
    expected = (math.log(2) - math.log(0.75)) / 2
    assert math.isclose(Classification().loss(LOGITS, torch.tensor([0, 1])).item(), expected, rel_tol=1e-6)


def test_label_smoothing_spreads_a_share_over_all_classes():
    # 0.2 smoothing of 2 classes: target (0.9, 0.1)
    expected = -(0.1 * math.log(0.25) + 0.9 * math.log(0.75))
    loss = Classification(label_smoothing=0.2).loss(LOGITS[1:], torch.tensor([1]))
    assert math.isclose(loss.item(), expected, rel_tol=1e-6)


def test_score_counts_what_is_right():
    assert Classification().score(torch.eye(3), torch.tensor([0, 1, 0])).item() == 2.0
