"""Networks as tables of costs, drawn at random: for tests and benchmarks that need many and run none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from runtime.bundle.workload import Op, Workload


def draw_workloads(count: int, seed: int = 0) -> Iterator[Workload]:
    """Yield workloads of many depths, widths and mixes of ops, in float32."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        ops, width, side = [], rng.uniform(0.5, 4), rng.choice([28, 56, 80, 112])
        for depth in range(rng.integers(5, 20)):
            channels = int(16 * width * (1 + depth / 3))
            positions = int(max(4, side / 2 ** (depth // 3)) ** 2)
            map_bytes = 4 * positions * channels
            weights = 4 * channels**2
            ops.append(Op("a", "conv2d", positions * channels**2, map_bytes + weights, map_bytes))
            if rng.random() < 0.8:
                ops.append(Op("b", "depthwise_conv2d", 9 * positions * channels, map_bytes, map_bytes))
            if rng.random() < 0.5:
                ops.append(Op("c", "elementwise", positions * channels, 2 * map_bytes, map_bytes))
        yield Workload((*ops, Op("d", "linear", channels * 1000, channels * 4000, 4000)))
