"""Small networks to quantise, and images that they see."""

import numpy as np
import torch
from torch import nn

from edgekit.export import Origin
from edgekit.export.quantize import Calibration, Validation
from edgekit.models.layers import conv_bn
from edgekit.nn import DynamicConv2d, DynamicReLU
from runtime.bundle import ImageSpec

SIDE, CLASSES = 16, 4
IMAGE = ImageSpec(SIDE, SIDE, (0.5,) * 3, (0.5,) * 3)


def images(count, seed=0):
    """Return smooth random images, float32, shape (N, 3, 16, 16)."""
    coarse = torch.from_numpy(np.random.default_rng(seed).standard_normal((count, 3, 4, 4)))
    return nn.functional.interpolate(coarse, SIDE, mode="bilinear").float().numpy()


class Static(nn.Module):
    """An inverted residual block with its shortcut, ReLU6 and a classifier."""

    def __init__(self):
        super().__init__()
        self.stem = conv_bn(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.ReLU6())
        self.expand = conv_bn(nn.Conv2d(8, 24, 1, bias=False), nn.ReLU6())
        self.depthwise = conv_bn(nn.Conv2d(24, 24, 3, 1, 1, groups=24, bias=False), nn.ReLU6())
        self.project = conv_bn(nn.Conv2d(24, 8, 1, bias=False))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(8, CLASSES)

    def forward(self, x):
        x = self.stem(x)
        x = x + self.project(self.depthwise(self.expand(x)))
        return self.linear(self.pool(x).flatten(1))


class Dynamic(Static):
    """The same with a dynamic convolution and a dynamic ReLU."""

    def __init__(self):
        super().__init__()
        self.expand = conv_bn(DynamicConv2d(8, 24, 1, kernels=2), DynamicReLU(24, variant="b"))
        for part in (self.expand.conv.attention, self.expand.act):
            for parameter in part.parameters():  # as they begin, both give the same for every image
                nn.init.normal_(parameter, std=0.3)


class Uneven(nn.Module):
    """One channel is ``gain`` times the others, so its int8 steps swallow them; the class is theirs."""

    def __init__(self, gain):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 1)
        self.second = nn.Conv2d(4, 4, 1)
        self.third = nn.Conv2d(4, CLASSES, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        with torch.no_grad():
            for conv in (self.first, self.second, self.third):
                conv.bias.zero_()
            self.first.weight[3] *= gain
            self.first.bias[3] = 3.0 * gain
            self.second.weight[:, 3] = 0.0

    def forward(self, x):
        return self.pool(self.third(torch.relu(self.second(torch.relu(self.first(x)))))).flatten(1)


def build(kind):
    """Return a network of ``kind`` whose batch norm has seen images."""
    torch.manual_seed(1)
    model = kind()
    model.train()
    with torch.no_grad():
        for seed in range(20):
            model(torch.from_numpy(images(16, seed)))
    return model.eval()


def origin(model, facts=None):
    labels = tuple(f"class {i}" for i in range(CLASSES))
    return Origin.of_images("small-net", model, IMAGE, labels, images(8, 99), "smooth noise", facts or {})


def calibration(count=16):
    return Calibration(tuple((images(count, 7)[i : i + 1],) for i in range(count)), "smooth noise")


def validation(model, count=64):
    """Return images labelled with the class that the float model gives them."""
    arrays = images(count, 5)
    with torch.no_grad():
        labels = model(torch.from_numpy(arrays)).argmax(1).numpy()
    return Validation(tuple((arrays[i : i + 1],) for i in range(count)), labels, "smooth noise")


class Padded(Static):
    """The stem pads by a layer of its own, as TensorFlow's uneven "same" padding needs."""

    def __init__(self):
        super().__init__()
        conv = nn.Conv2d(3, 8, 3, 2, bias=False)
        self.stem = conv_bn(conv, nn.ReLU6(), pad=nn.ZeroPad2d((0, 1, 0, 1)))


class ZeroBias(Static):
    """Linear layers whose biases are zeros: the converter shares them, or leaves them out."""

    def __init__(self):
        super().__init__()
        last = nn.Linear(512, CLASSES)
        self.linear = nn.Sequential(
            nn.Linear(8, 512),
            nn.ReLU6(),
            nn.Linear(512, 512),
            nn.Sigmoid(),
            nn.Linear(512, 512),
            nn.ReLU6(),
            last,
        )
        for layer in self.linear[::2]:
            nn.init.zeros_(layer.bias)


class HardSwish(Static):
    """Two of its activations are those of MobileNetV3."""

    def __init__(self):
        super().__init__()
        self.stem = conv_bn(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.Hardswish())
        self.depthwise = conv_bn(nn.Conv2d(24, 24, 3, 1, 1, groups=24, bias=False), nn.Hardswish())


class PaddedPool(Static):
    """A padding and a pooling behind the stem, as in ResNet's."""

    def __init__(self):
        super().__init__()
        self.stem.append(nn.Sequential(nn.ZeroPad2d(1), nn.MaxPool2d(3, 2)))


class Particular(PaddedPool, Padded, ZeroBias, HardSwish):
    """All four at once; of HardSwish the activation of ``depthwise`` is left."""
