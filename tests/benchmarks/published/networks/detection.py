"""Detectors, and networks that keep several resolutions."""

from __future__ import annotations

from tests.benchmarks.published.networks.layers import Layers
from tests.benchmarks.published.networks.mobile import (
    mobilenet_v1_body,
    mobilenet_v2_body,
    mobilenet_v3_body,
)

_CLASSES = 21


def _ssd_output(net: Layers, boxes: int, classes: int = _CLASSES) -> None:
    net.aside(lambda n: n.conv(4 * boxes)).aside(lambda n: n.conv(classes * boxes))


def mobilenet_v1_ssd(size: int) -> Layers:
    """MobileNet-SSD of https://github.com/chuanqi305/MobileNet-SSD, which the engines' benchmarks run."""
    net = Layers(size).conv(32, 3, 2)
    for out, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5):
        net.depthwise(3, stride).conv(out)
    _ssd_output(net, 3)
    for out, stride in ((1024, 2), (1024, 1)):
        net.depthwise(3, stride).conv(out)
    _ssd_output(net, 6)
    for narrow, out in ((256, 512), (128, 256), (128, 256), (64, 128)):
        net.conv(narrow).conv(out, 3, 2)
        _ssd_output(net, 6)
    return net.softmax()


def _ssdlite_output(net: Layers, boxes: int, classes: int) -> None:
    net.aside(lambda n: n.depthwise(3).conv(4 * boxes)).aside(lambda n: n.depthwise(3).conv(classes * boxes))


def ssdlite(net: Layers, classes: int = 91) -> Layers:
    """Sandler et al., https://arxiv.org/abs/1801.04381, section 6.2: outputs from the body's end on."""
    _ssdlite_output(net, 6, classes)
    for narrow, out in ((256, 512), (128, 256), (128, 256), (64, 128)):
        net.conv(narrow).depthwise(3, 2).conv(out)
        _ssdlite_output(net, 6, classes)
    return net.softmax()


def mobilenet_v2_ssd(size: int) -> Layers:
    return ssdlite(mobilenet_v2_body(Layers(size)))


def ssdlite_mobilenet_v3_large(size: int) -> Layers:
    return ssdlite(mobilenet_v3_body(Layers(size), "large"))


def squeezenet_ssd(size: int) -> Layers:
    """SqueezeNet-SSD of https://github.com/chuanqi305/SqueezeNet-SSD, in ncnn's benchmark."""
    net = Layers(size).conv(64, 3, 2)
    for i, width in enumerate((16, 16, 32, 32, 48, 48, 64, 64)):
        if i in (0, 2, 4):
            net.pool(3, 2, padding="same")
        net.conv(width).branches(lambda n, w=width: n.conv(4 * w), lambda n, w=width: n.conv(4 * w, 3))
        if i == 4:
            _ssd_output(net, 4)
    _ssd_output(net, 6)
    for narrow, out in ((128, 256), (64, 128), (64, 128)):
        net.pool(3, 2, padding="same").conv(narrow).conv(out, 3)
        _ssd_output(net, 6)
    return net.softmax()


def mobilenet_yolo(size: int) -> Layers:
    """MobileNet-YOLOv3 of https://github.com/eric612/MobileNet-YOLO, in ncnn's benchmark."""
    net = mobilenet_v1_body(Layers(size))
    net.depthwise(3).conv(1024).aside(lambda n: n.conv(75))
    net.conv(512)
    net.h, net.w = 2 * net.h, 2 * net.w
    return net.copy().add().depthwise(3).conv(512).conv(75)


def yolov4_tiny(size: int) -> Layers:
    """Wang et al., https://arxiv.org/abs/2011.08036: darknet's yolov4-tiny.cfg (6.91 BFLOPs at 416)."""
    net = Layers(size).conv(32, 3, 2, act="leaky").conv(64, 3, 2, act="leaky")
    for width in (64, 128, 256):
        net.conv(width, 3, act="leaky").copy()
        net.c = width // 2
        net.conv(width // 2, 3, act="leaky").conv(width // 2, 3, act="leaky")
        net.c = width
        net.copy().conv(width, act="leaky")
        net.c = 2 * width
        net.copy().pool(2, 2)
    net.conv(512, 3, act="leaky").conv(256, act="leaky")
    net.aside(lambda n: n.conv(512, 3, act="leaky").conv(255))
    net.conv(128, act="leaky")
    net.h, net.w, net.c = 2 * net.h, 2 * net.w, 128 + 256
    return net.copy().conv(256, 3, act="leaky").conv(255)


def hrnet_w18(size: int) -> Layers:
    """Wang et al., https://arxiv.org/abs/1908.07919: HRNetV2-W18 with the classifier of its repository."""
    net = Layers(size).conv(64, 3, 2).conv(64, 3, 2)
    for i in range(4):
        before = net.size
        net.conv(64).conv(64, 3).conv(256)
        if i == 0:
            net.aside(lambda n, b=before: _projected(n, b, 256))
        net.add()
    side = net.h
    for branches, modules in ((2, 1), (3, 4), (4, 3)):
        for module in range(modules):
            for branch in range(branches):
                net.size = (18 * 2**branch, side >> branch, side >> branch)
                if module == 0 and branch in (0, branches - 1):
                    _transition(net, branch, branches, side)
                for _ in range(4):
                    net.conv(net.c, 3).conv(net.c, 3).add()
            _fuse(net, branches, side)
    for branch in range(4):
        net.size = (18 * 2**branch, side >> branch, side >> branch)
        width = 32 * 2**branch
        net.conv(width).conv(width, 3).conv(4 * width)
        if branch < 3:
            net.conv(8 * width, 3, 2).add()
    return net.conv(2048).global_pool().linear(1000).softmax()


def _projected(net: Layers, size: tuple[int, int, int], out: int) -> None:
    net.size = size
    net.conv(out)


def _transition(net: Layers, branch: int, branches: int, side: int) -> None:
    """A new branch is made from the last one; after the stem both start from its 256 channels."""
    after = net.size
    if branches == 2:
        net.size = (256, side, side)
        net.conv(after[0], 3, 2 if branch else 1)
    elif branch == branches - 1:
        net.size = (after[0] // 2, after[1] * 2, after[2] * 2)
        net.conv(after[0], 3, 2)


def _fuse(net: Layers, branches: int, side: int) -> None:
    """Every branch receives all others: upsampled 1x1, or a chain of strided 3x3."""
    for to in range(branches):
        for source in range(branches):
            net.size = (18 * 2**source, side >> source, side >> source)
            if source > to:
                net.conv(18 * 2**to)
                net.h = net.w = side >> to
                net.copy().add()
            elif source < to:
                for step in range(to - source):
                    net.conv(net.c if step < to - source - 1 else 18 * 2**to, 3, 2)
                net.add()
