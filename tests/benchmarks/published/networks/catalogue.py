"""Networks by the names that published tables use, with the multiply-accumulates their papers state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.published.networks import classic, detection, mobile
from tests.benchmarks.published.networks.layers import Layers

_EFFICIENTNET_LITE = {"0": (1.0, 1.0), "1": (1.0, 1.1), "2": (1.1, 1.2), "3": (1.2, 1.4), "4": (1.4, 1.8)}


@dataclass(frozen=True)
class Published:
    """A network and what is known of its cost.

    Attributes:
        build: takes the input's side in pixels.
        size: side that ``million_macs`` holds for.
        million_macs: as its paper or its authors state them; ``None`` where nobody did.
    """

    build: Callable[[int], Layers]
    size: int
    million_macs: float | None

    @property
    def macs_apart(self) -> float:
        """By what share the layers' multiply-accumulates are above what is stated; 0 where nothing is."""
        if self.million_macs is None:
            return 0.0
        kinds = ("conv2d", "depthwise_conv2d", "linear")
        macs = sum(op.macs for op in self.build(self.size).ops if op.kind in kinds)
        return macs / self.million_macs / 1e6 - 1


def _v2(width: float, macs: float | None = None) -> Published:
    return Published(lambda size: mobile.mobilenet_v2(size, width), 224, macs)


def _v3(kind: str, macs: float | None, width: float = 1.0, minimal: bool = False) -> Published:
    return Published(lambda size: mobile.mobilenet_v3(size, kind, width, minimal), 224, macs)


def _v1(width: float, macs: float) -> Published:
    return Published(lambda size: mobile.mobilenet_v1(size, width), 224, macs)


def _resnet(depth: int, macs: float) -> Published:
    return Published(lambda size: classic.resnet(size, depth), 224, macs)


NETWORKS = {
    "alexnet": Published(classic.alexnet, 227, 724),
    "vgg16": Published(lambda size: classic.vgg(size, 16), 224, 15_470),
    "vgg19": Published(lambda size: classic.vgg(size, 19), 224, 19_630),
    "squeezenet_1.0": Published(lambda size: classic.squeezenet(size, "1.0"), 224, 861),
    "squeezenet_1.1": Published(lambda size: classic.squeezenet(size, "1.1"), 224, 387),
    "resnet18": _resnet(18, 1_814),
    "resnet34": _resnet(34, 3_664),
    "resnet50": _resnet(50, 4_089),
    "resnet101": _resnet(101, 7_802),
    "resnet152": _resnet(152, 11_514),
    "resnet50_v2": _resnet(50, 4_089),
    "resnet101_v2": _resnet(101, 7_802),
    "resnext50": Published(classic.resnext50, 224, 4_230),
    "densenet121": Published(classic.densenet121, 224, 2_834),
    "densenet": Published(classic.densenet121, 224, 2_834),
    "googlenet": Published(classic.googlenet, 224, 1_550),
    "inception_v2": Published(classic.inception_v2, 224, 2_000),
    "inception_v3": Published(classic.inception_v3, 299, 5_713),
    "inception_v4": Published(classic.inception_v4, 299, 12_270),
    "inception_resnet_v2": Published(classic.inception_resnet_v2, 299, 13_200),
    "mobilenet_v1": _v1(1.0, 569),
    "mobilenet_v1:0.75": _v1(0.75, 325),
    "mobilenet_v1:0.5": _v1(0.5, 149),
    "mobilenet_v1:0.25": _v1(0.25, 41),
    "mobilenet_v2": _v2(1.0, 300),
    "mobilenet_v2:1.4": _v2(1.4, 582),
    "mobilenet_v2:1.3": _v2(1.3, 509),
    "mobilenet_v2:0.75": _v2(0.75, 209),
    "mobilenet_v2:0.5": _v2(0.5, 97),
    "mobilenet_v2:0.35": _v2(0.35, 59),
    "mobilenet_v3_large": _v3("large", 219),
    "mobilenet_v3_large:0.75": _v3("large", 155, 0.75),
    "mobilenet_v3_large:mini": _v3("large", 209, minimal=True),
    "mobilenet_v3_small": _v3("small", 56),
    "mobilenet_v3_small:0.75": _v3("small", 44, 0.75),
    "mobilenet_v3_small:mini": _v3("small", 65, minimal=True),
    "efficientnet_b0": Published(lambda size: mobile.efficientnet(size, 1.0, 1.0), 224, 390),
    **{
        f"efficientnet_lite{name}": Published(
            lambda size, w=width, d=depth: mobile.efficientnet(size, w, d, lite=True), side, macs
        )
        for (name, (width, depth)), side, macs in zip(
            _EFFICIENTNET_LITE.items(),
            (224, 240, 260, 280, 300),
            (407, 631, 899, 1_440, 2_640),
            strict=True,
        )
    },
    "mnasnet": Published(mobile.mnasnet, 224, 312),
    "proxylessnasnet": Published(mobile.proxylessnas, 224, 320),
    "shufflenet": Published(mobile.shufflenet_v1, 224, 137),
    "shufflenet_v2": Published(mobile.shufflenet_v2, 224, 146),
    "regnety_400m": Published(mobile.regnety_400m, 224, 400),
    "nasnet_mobile": Published(mobile.nasnet_mobile, 224, 564),
    "mobilenet_v1_ssd": Published(detection.mobilenet_v1_ssd, 300, 1_140),
    "mobilenet_v2_ssd": Published(detection.mobilenet_v2_ssd, 300, None),
    "ssdlite_mobilenet_v3_large": Published(detection.ssdlite_mobilenet_v3_large, 320, None),
    "squeezenet_ssd": Published(detection.squeezenet_ssd, 300, None),
    "mobilenet_yolo": Published(detection.mobilenet_yolo, 416, None),
    "yolov4_tiny": Published(detection.yolov4_tiny, 416, 3_455),
    "hrnet_w18": Published(detection.hrnet_w18, 224, 4_320),
}
