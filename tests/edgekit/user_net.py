"""A file of the user whose functions make networks, for tests that train and prune them."""

from __future__ import annotations

SOURCE = '''
import torch
from torch import nn


class Fire(nn.Module):
    """SqueezeNet's block: two branches of one convolution, side by side."""

    def __init__(self, inputs, squeezed, each):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.left, self.right = nn.Conv2d(squeezed, each, 1), nn.Conv2d(squeezed, each, 3, padding=1)

    def forward(self, x):
        x = torch.relu(self.squeeze(x))
        return torch.relu(torch.cat([self.left(x), self.right(x)], 1))


class Flat(nn.Module):
    """A residual network without blocks: all of it in one forward, with a gate per channel."""

    def __init__(self, classes):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, padding=1)
        self.first, self.bn = nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.down, self.up = nn.Conv2d(16, 8, 1), nn.Conv2d(8, 16, 1)
        self.second = nn.Conv2d(16, 8, 3, padding=1)
        self.head = nn.Linear(8, classes)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        y = torch.relu(self.bn(self.first(x)))
        y = y * torch.sigmoid(self.up(torch.relu(self.down(y.mean((2, 3), keepdim=True)))))
        return self.head((x + self.second(y)).mean((2, 3)))


def conv(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def plain(num_classes=10, in_channels=1):
    """A VGG-like sequence."""
    body = [*conv(in_channels, 16), *conv(16, 16), nn.MaxPool2d(2), *conv(16, 16)]
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, num_classes))


def fire():
    blocks = nn.Conv2d(1, 8, 3, padding=1), Fire(8, 8, 8), Fire(16, 8, 8)
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2))


def flat(num_classes):
    return Flat(num_classes)


def tied():
    """One convolution that is used twice."""
    shared = nn.Conv2d(16, 16, 3, padding=1)
    body = [*conv(1, 16), shared, nn.ReLU(), shared, *conv(16, 16)]
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2))


def lazy():
    net = nn.Sequential(nn.LazyConv2d(8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    return net, torch.zeros(1, 1, 8, 8)


def frozen():
    return plain(2).requires_grad_(False)


def linear():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 2))


def three_classes():
    return plain(3)


def colour():
    return plain(2, in_channels=3)


def no_network():
    return 7


def several_outputs():
    class Several(nn.Module):
        def forward(self, x):
            return x, x

    return Several()
'''


def write_user_net(folder):
    """Write the file into ``folder`` and return its path."""
    path = folder / "net.py"
    path.write_text(SOURCE)
    return path
