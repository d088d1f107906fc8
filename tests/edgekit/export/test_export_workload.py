"""Counted by hand on small nets, and against the published figure of MobileNetV2."""

import torch
from torch import nn

from edgekit.export.lower import lower
from edgekit.export.workload import workload_of
from edgekit.models import ModelSpec, build_model


def ops_of(model, shape):
    return workload_of(torch.export.export(model.eval(), (torch.zeros(shape),))).ops


def test_convolution_norm_and_clamp_are_one_op():
    net = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
    (op,) = ops_of(net, (1, 3, 8, 8))
    assert (op.name, op.kind, op.macs) == ("0", "conv2d", 4 * 4 * 8 * 27)
    assert (op.bytes_read, op.bytes_written) == (4 * (192 + 216), 4 * 128)


def test_a_clamp_after_a_map_with_two_readers_is_an_op_of_its_own():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.act = nn.Conv2d(4, 4, 1, bias=False), nn.ReLU()

        def forward(self, x):
            y = self.conv(x)
            return y + self.act(y)

    assert [op.kind for op in ops_of(Net(), (1, 4, 2, 2))] == ["conv2d", "elementwise", "elementwise"]


def test_depthwise_pool_and_linear():
    depthwise = nn.Conv2d(4, 4, 3, 1, 1, groups=4)
    net = nn.Sequential(depthwise, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))
    got = [(op.kind, op.macs) for op in ops_of(net, (1, 4, 6, 6))]
    assert got == [("depthwise_conv2d", 36 * 4 * 9), ("pool", 144), ("copy", 0), ("linear", 40)]


def test_mobilenet_v2_costs_what_its_paper_says():
    ops = ops_of(lower(build_model(ModelSpec("mobilenet_v2"))), (1, 3, 224, 224))
    arithmetic = sum(op.macs for op in ops if op.kind in ("conv2d", "depthwise_conv2d", "linear"))
    assert arithmetic == 300_774_272
    assert not [op.name for op in ops if op.kind == "other"]
