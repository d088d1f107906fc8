"""Networks of depthwise convolutions, made for phones."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.benchmarks.published.networks.layers import Layers


def _round8(width: float) -> int:
    """Return the nearest multiple of 8 that loses at most a tenth (TensorFlow's ``make_divisible``)."""
    rounded = max(8, int(width + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * width else rounded


def mobilenet_v1_body(net: Layers, width: float = 1.0) -> Layers:
    """Howard et al., https://arxiv.org/abs/1704.04861, table 1, without pool and head."""
    net.conv(int(32 * width), 3, 2)
    for out, stride in _V1:
        net.depthwise(3, stride).conv(int(out * width))
    return net


_V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


def mobilenet_v1(size: int, width: float = 1.0) -> Layers:
    return mobilenet_v1_body(Layers(size), width).global_pool().linear(1000).softmax()


def _inverted(
    net: Layers,
    out: int,
    kernel: int,
    stride: int,
    expanded: int,
    act: str = "relu6",
    excite: tuple[int, str, str] | None = None,
) -> None:
    """Sandler et al., https://arxiv.org/abs/1801.04381, figure 3; ``excite``: width, activation, gate."""

    def body(n: Layers) -> None:
        if expanded != n.c:
            n.conv(expanded, act=act)
        n.depthwise(kernel, stride, act)
        if excite is not None:
            n.squeeze_excite(*excite)
        n.conv(out)

    net.residual(body)


def mobilenet_v2_body(net: Layers, width: float = 1.0) -> Layers:
    """Sandler et al., https://arxiv.org/abs/1801.04381, table 2, without pool and head."""
    net.conv(_round8(32 * width), 3, 2)
    for t, c, n, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                       (6, 160, 3, 2), (6, 320, 1, 1)):  # fmt: skip
        for i in range(n):
            _inverted(net, _round8(c * width), 3, s if i == 0 else 1, t * net.c)
    return net


def mobilenet_v2(size: int, width: float = 1.0) -> Layers:
    net = mobilenet_v2_body(Layers(size), width)
    return net.conv(max(1280, _round8(1280 * width))).global_pool().linear(1000).softmax()


_V3_LARGE = (  # kernel, expanded, out, squeeze-excite, hard-swish, stride
    (3, 16, 16, 0, 0, 1), (3, 64, 24, 0, 0, 2), (3, 72, 24, 0, 0, 1), (5, 72, 40, 1, 0, 2),
    (5, 120, 40, 1, 0, 1), (5, 120, 40, 1, 0, 1), (3, 240, 80, 0, 1, 2), (3, 200, 80, 0, 1, 1),
    (3, 184, 80, 0, 1, 1), (3, 184, 80, 0, 1, 1), (3, 480, 112, 1, 1, 1), (3, 672, 112, 1, 1, 1),
    (5, 672, 160, 1, 1, 2), (5, 960, 160, 1, 1, 1), (5, 960, 160, 1, 1, 1),
)  # fmt: skip
_V3_SMALL = (
    (3, 16, 16, 1, 0, 2), (3, 72, 24, 0, 0, 2), (3, 88, 24, 0, 0, 1), (5, 96, 40, 1, 1, 2),
    (5, 240, 40, 1, 1, 1), (5, 240, 40, 1, 1, 1), (5, 120, 48, 1, 1, 1), (5, 144, 48, 1, 1, 1),
    (5, 288, 96, 1, 1, 2), (5, 576, 96, 1, 1, 1), (5, 576, 96, 1, 1, 1),
)  # fmt: skip


def mobilenet_v3_body(net: Layers, kind: str, width: float = 1.0, minimal: bool = False) -> Layers:
    """Howard et al., https://arxiv.org/abs/1905.02244, tables 1 and 2, without pool and head.

    Minimalistic ones have 3x3 kernels and ReLU only, and no squeeze-excite.
    """
    swish = "relu" if minimal else "hswish"
    net.conv(16, 3, 2, act=swish)
    first = 16
    for kernel, expanded, out, se, hs, stride in _V3_LARGE if kind == "large" else _V3_SMALL:
        hidden = _round8(net.c * expanded / first)
        excite = None if minimal or not se else (_round8(hidden / 4), "relu", "hswish")
        act = swish if hs else "relu"
        _inverted(net, _round8(out * width), 3 if minimal else kernel, stride, hidden, act, excite)
        first = out
    return net.conv(6 * net.c, act=swish)


def mobilenet_v3(size: int, kind: str, width: float = 1.0, minimal: bool = False) -> Layers:
    net = mobilenet_v3_body(Layers(size), kind, width, minimal).global_pool()
    last = 1280 if kind == "large" else 1024
    net.linear(last).act("relu" if minimal else "hswish")
    return net.linear(1000).softmax()


_B0 = ((1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2), (6, 5, 112, 3, 1),
       (6, 5, 192, 4, 2), (6, 3, 320, 1, 1))  # fmt: skip


def efficientnet(size: int, width: float, depth: float, lite: bool = False) -> Layers:
    """Tan, Le, https://arxiv.org/abs/1905.11946, table 1.

    Lite ones (TensorFlow's repository): ReLU6, no squeeze-excite, stem and head of one width, first and last
    stage of one depth.
    """
    act = "relu6" if lite else "swish"
    net = Layers(size).conv(32 if lite else _round8(32 * width), 3, 2, act=act)
    for stage, (t, kernel, out, times, stride) in enumerate(_B0):
        fixed = lite and stage in (0, len(_B0) - 1)
        for i in range(times if fixed else math.ceil(times * depth)):
            excite = None if lite else (max(1, net.c // 4), "swish", "sigmoid")
            _inverted(net, _round8(out * width), kernel, stride if i == 0 else 1, t * net.c, act, excite)
    return net.conv(1280 if lite else _round8(1280 * width), act=act).global_pool().linear(1000).softmax()


def mnasnet(size: int) -> Layers:
    """Tan et al., https://arxiv.org/abs/1807.11626: MnasNet-A1, figure 7."""
    net = Layers(size).conv(32, 3, 2).depthwise(3).conv(16)
    for t, kernel, out, times, stride, se in ((6, 3, 24, 2, 2, 0), (3, 5, 40, 3, 2, 1), (6, 3, 80, 4, 2, 0),
                                              (6, 3, 112, 2, 1, 1), (6, 5, 160, 3, 2, 1),
                                              (6, 3, 320, 1, 1, 0)):  # fmt: skip
        for i in range(times):
            excite = (max(1, net.c // 4), "relu", "sigmoid") if se else None
            _inverted(net, out, kernel, stride if i == 0 else 1, t * net.c, "relu", excite)
    return net.conv(1280).global_pool().linear(1000).softmax()


def proxylessnas(size: int) -> Layers:
    """Cai et al., https://arxiv.org/abs/1812.00332: ProxylessNAS (Mobile), figure 4."""
    net = Layers(size).conv(32, 3, 2).depthwise(3).conv(16)
    for out, stride, blocks in ((32, 2, ((3, 5), (3, 3))), (40, 2, ((3, 7), (3, 3), (3, 5), (3, 5))),
                                (80, 2, ((6, 7), (3, 5), (3, 5), (3, 5))),
                                (96, 1, ((6, 5), (3, 5), (3, 5), (3, 5))),
                                (192, 2, ((6, 7), (6, 7), (3, 7), (3, 7))), (320, 1, ((6, 7),))):  # fmt: skip
        for i, (t, kernel) in enumerate(blocks):
            _inverted(net, out, kernel, stride if i == 0 else 1, t * net.c, "relu6")
    return net.conv(1280).global_pool().linear(1000).softmax()


def shufflenet_v1(size: int, groups: int = 3) -> Layers:
    """Zhang et al., https://arxiv.org/abs/1707.01083, table 1."""
    net = Layers(size).conv(24, 3, 2).pool(3, 2, padding="same")
    first = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}[groups]
    for stage, times in enumerate((4, 8, 4)):
        out = first * 2**stage
        for i in range(times):
            before = net.size
            entry = 1 if stage == 0 and i == 0 else groups
            net.conv(out // 4, groups=entry).copy().depthwise(3, 2 if i == 0 else 1)
            net.conv(out - before[0] if i == 0 else out, groups=groups)
            if i == 0:
                net.aside(lambda n, b=before: _pool_of(n, b))
                net.c = out
                net.copy()
            else:
                net.add()
    return net.global_pool().linear(1000).softmax()


def _pool_of(net: Layers, size: tuple[int, int, int]) -> None:
    net.size = size
    net.pool(3, 2, padding="same")


def shufflenet_v2(size: int, width: float = 1.0) -> Layers:
    """Ma et al., https://arxiv.org/abs/1807.11164, table 5."""
    widths: Sequence[int] = {0.5: (48, 96, 192, 1024), 1.0: (116, 232, 464, 1024), 1.5: (176, 352, 704, 1024),
                             2.0: (244, 488, 976, 2048)}[width]  # fmt: skip
    net = Layers(size).conv(24, 3, 2).pool(3, 2, padding="same")
    for out, times in zip(widths[:3], (4, 8, 4), strict=True):
        half = out // 2
        net.branches(
            lambda n: n.depthwise(3, 2).conv(half),  # noqa: B023
            lambda n: n.conv(half).depthwise(3, 2).conv(half),  # noqa: B023
        ).copy()
        for _ in range(times - 1):
            net.copy()
            net.c = half
            net.conv(half).depthwise(3).conv(half)
            net.c = out
            net.copy()
    return net.conv(widths[3]).global_pool().linear(1000).softmax()


def regnety_400m(size: int) -> Layers:
    """Radosavovic et al., https://arxiv.org/abs/2003.13678, table 4: REGNETY-400MF, groups of 8 channels."""
    net = Layers(size).conv(32, 3, 2)
    for out, times in ((48, 1), (104, 3), (208, 6), (440, 6)):
        for i in range(times):
            before, stride = net.size, 2 if i == 0 else 1
            net.conv(out).conv(out, 3, stride, groups=out // 8).squeeze_excite(max(1, before[0] // 4)).conv(
                out
            )
            if i == 0:
                net.size = before
                net.conv(out, 1, 2)
            net.add()
    return net.global_pool().linear(1000).softmax()


def nasnet_mobile(size: int) -> Layers:
    """Zoph et al., https://arxiv.org/abs/1707.07012: NASNet-A (4 @ 1056)."""
    net = Layers(size).conv(32, 3, 2, padding="valid")
    _nasnet_reduction(net, 11)
    _nasnet_reduction(net, 22)
    for stage, width in enumerate((44, 88, 176)):
        if stage:
            _nasnet_reduction(net, width)
        for _ in range(4):
            _nasnet_normal(net, width)
    return net.global_pool().linear(1000).softmax()


def _separable(net: Layers, out: int, kernel: int, stride: int = 1) -> Layers:
    """Two depthwise-separable convolutions, as every branch of a NASNet cell has them."""
    return net.depthwise(kernel, stride).conv(out).depthwise(kernel).conv(out)


def _nasnet_normal(net: Layers, width: int) -> None:
    net.branches(
        lambda n: n.conv(width).branches(
            lambda m: _separable(m, width, 5), lambda m: _separable(m, width, 3), concat=False
        ),
        lambda n: n.conv(width).branches(
            lambda m: _separable(m, width, 5), lambda m: _separable(m, width, 3), concat=False
        ),
        lambda n: _as(n, width).pool(3, padding="same").add(),
        lambda n: _as(n, width).pool(3, padding="same").pool(3, padding="same").add(),
        lambda n: _separable(_as(n, width), width, 3).add(),
        lambda n: _as(n, width),
    )


def _as(net: Layers, width: int) -> Layers:
    net.c = width
    return net


def _nasnet_reduction(net: Layers, width: int) -> None:
    net.branches(
        lambda n: _separable(n.conv(width), width, 5, 2),
        lambda n: _separable(_as(n, width), width, 7, 2).add(),
        lambda n: _separable(_as(n, width), width, 7, 2).pool(3, padding="same").add(),
        lambda n: _separable(_as(n, width), width, 5, 2).pool(3, padding="same").add(),
    )
