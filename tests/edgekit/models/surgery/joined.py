import torch
from torch import nn


class Joined(nn.Module):
    """Two branches side by side, a third convolution on both, and a classifier of all positions."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.left, self.right = nn.Conv2d(8, 4, 1), nn.Conv2d(8, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.last = nn.Conv2d(8, 4, 1)
        self.classifier = nn.Linear(4 * 16 * 16, 2)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        y = self.bn(torch.cat([self.left(x), self.right(x)], 1))
        return self.classifier(self.last(torch.relu(y)).flatten(1))
