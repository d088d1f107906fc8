import pytest
import torch
from torch import nn

from edgekit.training.batch_norm import reestimate_batch_norm


def test_statistics_become_those_of_the_images_and_nothing_else_changes(toy_data):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, 2)).train()
    weights = [parameter.clone() for parameter in net.parameters()]
    assert reestimate_batch_norm(net, toy_data.train) == 64
    images = torch.from_numpy(toy_data.train.batch(range(64))[0])
    assert net[1].running_mean.item() == pytest.approx(images.mean().item(), abs=1e-5)
    assert net[1].running_var.item() == pytest.approx(images.var().item(), rel=1e-4)
    assert all(torch.equal(old, new) for old, new in zip(weights, net.parameters(), strict=True))
    assert net[0].training
    assert net[1].momentum == 0.1


def test_all_batches_weigh_the_same(toy_data):
    net = nn.BatchNorm2d(1).eval()
    assert reestimate_batch_norm(net, toy_data.train, images=32, seed=3) == 32
    assert not net.training
    again = nn.BatchNorm2d(1)
    reestimate_batch_norm(again, toy_data.train, images=32, seed=3)
    assert torch.equal(net.running_mean, again.running_mean)


def test_a_network_without_batch_norm_is_left_alone(toy_data):
    assert reestimate_batch_norm(nn.Linear(2, 2), toy_data.train) == 0
