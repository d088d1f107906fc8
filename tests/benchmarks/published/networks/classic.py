"""Networks of dense convolutions: AlexNet to Inception-v4.

Each docstring names the paper; ``catalogue.py`` holds the multiply-accumulates that it states.
"""

from __future__ import annotations

from tests.benchmarks.published.networks.layers import Layers


def alexnet(size: int) -> Layers:
    """Krizhevsky et al. 2012, two groups, as Caffe and the engines' benchmarks have it."""
    net = Layers(size).conv(96, 11, 4, padding="valid").pool(3, 2)
    net.conv(256, 5, groups=2).pool(3, 2).conv(384, 3).conv(384, 3, groups=2).conv(256, 3, groups=2)
    return net.pool(3, 2).linear(4096).linear(4096).linear(1000).softmax()


def vgg(size: int, depth: int) -> Layers:
    """Simonyan, Zisserman, https://arxiv.org/abs/1409.1556."""
    repeats = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}[depth]
    net = Layers(size)
    for width, times in zip((64, 128, 256, 512, 512), repeats, strict=True):
        for _ in range(times):
            net.conv(width, 3)
        net.pool(2, 2)
    return net.linear(4096).linear(4096).linear(1000).softmax()


def squeezenet(size: int, version: str) -> Layers:
    """Iandola et al., https://arxiv.org/abs/1602.07360; 1.1 is the authors' cheaper second version."""
    first, kernel, pools = (64, 3, (0, 2, 4)) if version == "1.1" else (96, 7, (0, 3, 7))
    net = Layers(size).conv(first, kernel, 2, padding="valid")
    for i, width in enumerate((16, 16, 32, 32, 48, 48, 64, 64)):
        if i in pools:
            net.pool(3, 2, padding="same")
        net.conv(width).branches(lambda n, w=width: n.conv(4 * w), lambda n, w=width: n.conv(4 * w, 3))
    return net.conv(1000).global_pool().softmax()


def _resnet_bottleneck(net: Layers, width: int, stride: int, groups: int = 1, wide: int = 1) -> None:
    before = net.size
    net.conv(width * wide).conv(width * wide, 3, stride, groups=groups).conv(4 * width)
    after = net.size
    if after != before:
        net.size = before
        net.conv(4 * width, 1, stride)
    net.add()


def _resnet_basic(net: Layers, width: int, stride: int) -> None:
    before = net.size
    net.conv(width, 3, stride).conv(width, 3)
    if net.size != before:
        net.size = before
        net.conv(width, 1, stride)
    net.add()


def resnet(size: int, depth: int) -> Layers:
    """He et al., https://arxiv.org/abs/1512.03385 (stride in the 3x3 layer, as in most files)."""
    repeats = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
    block = _resnet_basic if depth < 50 else _resnet_bottleneck
    net = Layers(size).conv(64, 7, 2).pool(3, 2, padding="same")
    for stage, (width, times) in enumerate(zip((64, 128, 256, 512), repeats[depth], strict=True)):
        for i in range(times):
            block(net, width, 2 if i == 0 and stage else 1)
    return net.global_pool().linear(1000).softmax()


def resnext50(size: int) -> Layers:
    """Xie et al., https://arxiv.org/abs/1611.05431: 32 groups of 4 channels."""
    net = Layers(size).conv(64, 7, 2).pool(3, 2, padding="same")
    for stage, (width, times) in enumerate(zip((64, 128, 256, 512), (3, 4, 6, 3), strict=True)):
        for i in range(times):
            _resnet_bottleneck(net, width, 2 if i == 0 and stage else 1, groups=32, wide=2)
    return net.global_pool().linear(1000).softmax()


def densenet121(size: int) -> Layers:
    """Huang et al., https://arxiv.org/abs/1608.06993, growth 32; norm and ReLU come first and are passes."""
    net = Layers(size).conv(64, 7, 2).pool(3, 2, padding="same")
    for stage, times in enumerate((6, 12, 24, 16)):
        for _ in range(times):
            before = net.size
            net.act("hswish").conv(128).conv(32, 3)
            net.c += before[0]
            net.copy()
        if stage < 3:
            net.act("hswish").conv(net.c // 2).pool(2, 2)
    return net.global_pool().linear(1000).softmax()


def googlenet(size: int) -> Layers:
    """Szegedy et al., https://arxiv.org/abs/1409.4842, table 1."""
    net = Layers(size).conv(64, 7, 2).pool(3, 2, padding="same").conv(64).conv(192, 3)
    net.pool(3, 2, padding="same")
    for row in _GOOGLENET:
        if row is None:
            net.pool(3, 2, padding="same")
            continue
        one, reduce3, three, reduce5, five, pooled = row
        net.branches(
            lambda n, a=one: n.conv(a),
            lambda n, a=reduce3, b=three: n.conv(a).conv(b, 3),
            lambda n, a=reduce5, b=five: n.conv(a).conv(b, 5),
            lambda n, a=pooled: n.pool(3, 1, padding="same").conv(a),
        )
    return net.global_pool().linear(1000).softmax()


_GOOGLENET = (
    (64, 96, 128, 16, 32, 32),
    (128, 128, 192, 32, 96, 64),
    None,
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
    None,
    (256, 160, 320, 32, 128, 128),
    (384, 192, 384, 48, 128, 128),
)


def inception_v2(size: int) -> Layers:
    """Ioffe, Szegedy, https://arxiv.org/abs/1502.03167, figure 5 (BN-Inception)."""
    net = Layers(size).conv(64, 7, 2).pool(3, 2, padding="same").conv(64).conv(192, 3)
    net.pool(3, 2, padding="same")
    for one, reduce3, three, reduced, double, pooled in _INCEPTION_V2:
        stride = 1 if pooled else 2
        paths = [
            lambda n, a=reduce3, b=three, s=stride: n.conv(a).conv(b, 3, s),
            lambda n, a=reduced, b=double, s=stride: n.conv(a).conv(b, 3).conv(b, 3, s),
        ]
        if pooled:
            paths = [lambda n, a=one: n.conv(a), *paths]
            paths.append(lambda n, a=pooled: n.pool(3, 1, padding="same").conv(a))
        else:
            paths.append(lambda n: n.pool(3, 2, padding="same"))
        net.branches(*paths)
    return net.global_pool().linear(1000).softmax()


_INCEPTION_V2 = (
    (64, 64, 64, 64, 96, 32),
    (64, 64, 96, 64, 96, 64),
    (0, 128, 160, 64, 96, 0),
    (224, 64, 96, 96, 128, 128),
    (192, 96, 128, 96, 128, 128),
    (160, 128, 160, 128, 160, 128),
    (96, 128, 192, 160, 192, 128),
    (0, 128, 192, 192, 256, 0),
    (352, 192, 320, 160, 224, 128),
    (352, 192, 320, 192, 224, 128),
)


def inception_v3(size: int) -> Layers:
    """Szegedy et al., https://arxiv.org/abs/1512.00567, as in TensorFlow's models."""
    net = Layers(size).conv(32, 3, 2, padding="valid").conv(32, 3, padding="valid").conv(64, 3).pool(3, 2)
    net.conv(80).conv(192, 3, padding="valid").pool(3, 2)
    for pooled in (32, 64, 64):
        net.branches(
            lambda n: n.conv(64),
            lambda n: n.conv(48).conv(64, 5),
            lambda n: n.conv(64).conv(96, 3).conv(96, 3),
            lambda n, a=pooled: n.pool(3, 1, padding="same").conv(a),
        )
    net.branches(
        lambda n: n.conv(384, 3, 2, padding="valid"),
        lambda n: n.conv(64).conv(96, 3).conv(96, 3, 2, padding="valid"),
        lambda n: n.pool(3, 2),
    )
    for width in (128, 160, 160, 192):
        net.branches(
            lambda n: n.conv(192),
            lambda n, a=width: n.conv(a).conv(a, (1, 7)).conv(192, (7, 1)),
            lambda n, a=width: n.conv(a).conv(a, (7, 1)).conv(a, (1, 7)).conv(a, (7, 1)).conv(192, (1, 7)),
            lambda n: n.pool(3, 1, padding="same").conv(192),
        )
    net.branches(
        lambda n: n.conv(192).conv(320, 3, 2, padding="valid"),
        lambda n: n.conv(192).conv(192, (1, 7)).conv(192, (7, 1)).conv(192, 3, 2, padding="valid"),
        lambda n: n.pool(3, 2),
    )
    for _ in range(2):
        net.branches(
            lambda n: n.conv(320),
            lambda n: n.conv(384).branches(lambda m: m.conv(384, (1, 3)), lambda m: m.conv(384, (3, 1))),
            lambda n: (
                n.conv(448)
                .conv(384, 3)
                .branches(lambda m: m.conv(384, (1, 3)), lambda m: m.conv(384, (3, 1)))
            ),
            lambda n: n.pool(3, 1, padding="same").conv(192),
        )
    return net.global_pool().linear(1000).softmax()


def _stem_v4(net: Layers) -> None:
    net.conv(32, 3, 2, padding="valid").conv(32, 3, padding="valid").conv(64, 3)
    net.branches(lambda n: n.pool(3, 2), lambda n: n.conv(96, 3, 2, padding="valid"))
    net.branches(
        lambda n: n.conv(64).conv(96, 3, padding="valid"),
        lambda n: n.conv(64).conv(64, (1, 7)).conv(64, (7, 1)).conv(96, 3, padding="valid"),
    )
    net.branches(lambda n: n.conv(192, 3, 2, padding="valid"), lambda n: n.pool(3, 2))


def inception_v4(size: int) -> Layers:
    """Szegedy et al., https://arxiv.org/abs/1602.07261, figures 3 to 9."""
    net = Layers(size)
    _stem_v4(net)
    for _ in range(4):
        net.branches(
            lambda n: n.conv(96),
            lambda n: n.conv(64).conv(96, 3),
            lambda n: n.conv(64).conv(96, 3).conv(96, 3),
            lambda n: n.pool(3, 1, padding="same").conv(96),
        )
    net.branches(
        lambda n: n.conv(384, 3, 2, padding="valid"),
        lambda n: n.conv(192).conv(224, 3).conv(256, 3, 2, padding="valid"),
        lambda n: n.pool(3, 2),
    )
    for _ in range(7):
        net.branches(
            lambda n: n.conv(384),
            lambda n: n.conv(192).conv(224, (1, 7)).conv(256, (7, 1)),
            lambda n: n.conv(192).conv(192, (1, 7)).conv(224, (7, 1)).conv(224, (1, 7)).conv(256, (7, 1)),
            lambda n: n.pool(3, 1, padding="same").conv(128),
        )
    net.branches(
        lambda n: n.conv(192).conv(192, 3, 2, padding="valid"),
        lambda n: n.conv(256).conv(256, (1, 7)).conv(320, (7, 1)).conv(320, 3, 2, padding="valid"),
        lambda n: n.pool(3, 2),
    )
    for _ in range(3):
        net.branches(
            lambda n: n.conv(256),
            lambda n: n.conv(384).branches(lambda m: m.conv(256, (1, 3)), lambda m: m.conv(256, (3, 1))),
            lambda n: (
                n.conv(384)
                .conv(448, (1, 3))
                .conv(512, (3, 1))
                .branches(lambda m: m.conv(256, (1, 3)), lambda m: m.conv(256, (3, 1)))
            ),
            lambda n: n.pool(3, 1, padding="same").conv(256),
        )
    return net.global_pool().linear(1000).softmax()


def inception_resnet_v2(size: int) -> Layers:
    """Szegedy et al., https://arxiv.org/abs/1602.07261, as in TensorFlow's models (10, 20 and 10 blocks)."""
    net = Layers(size).conv(32, 3, 2, padding="valid").conv(32, 3, padding="valid").conv(64, 3).pool(3, 2)
    net.conv(80).conv(192, 3, padding="valid").pool(3, 2)
    net.branches(
        lambda n: n.conv(96),
        lambda n: n.conv(48).conv(64, 5),
        lambda n: n.conv(64).conv(96, 3).conv(96, 3),
        lambda n: n.pool(3, 1, padding="same").conv(64),
    )
    for _ in range(10):
        net.branches(
            lambda n: n.conv(32),
            lambda n: n.conv(32).conv(32, 3),
            lambda n: n.conv(32).conv(48, 3).conv(64, 3),
        )
        net.conv(320).add()
    net.branches(
        lambda n: n.conv(384, 3, 2, padding="valid"),
        lambda n: n.conv(256).conv(256, 3).conv(384, 3, 2, padding="valid"),
        lambda n: n.pool(3, 2),
    )
    for _ in range(20):
        net.branches(lambda n: n.conv(192), lambda n: n.conv(128).conv(160, (1, 7)).conv(192, (7, 1)))
        net.conv(1088).add()
    net.branches(
        lambda n: n.conv(256).conv(384, 3, 2, padding="valid"),
        lambda n: n.conv(256).conv(288, 3, 2, padding="valid"),
        lambda n: n.conv(256).conv(288, 3).conv(320, 3, 2, padding="valid"),
        lambda n: n.pool(3, 2),
    )
    for _ in range(10):
        net.branches(lambda n: n.conv(192), lambda n: n.conv(192).conv(224, (1, 3)).conv(256, (3, 1)))
        net.conv(2080).add()
    return net.conv(1536).global_pool().linear(1000).softmax()
