"""What goes into the latency model for threads on a cluster, or on several of unlike speed."""

from __future__ import annotations

import math
from collections import defaultdict

from runtime.bundle.workload import Workload
from runtime.device.soc.cores import core_type
from runtime.device.soc.latency_terms import ARITHMETIC, XNNPACK, latency_factors, latency_terms_ms
from runtime.device.soc.profile import Cluster


def latency_inputs(
    workload: Workload,
    cluster: Cluster,
    freq_khz: int,
    threads: int,
    precision: str = "fp32",
    engine: str = XNNPACK,
    soc: str | None = None,
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the terms in ms and the values of the factors of one frame.

    Of clusters that are used as one, a term is what it takes at the mean speed of the cores that run, which
    threads reach that take work from each other, as those of XNNPACK's pool do (pthreadpool.h,
    ``pthreadpool_parallelize``). Engines that give each thread an equal share (OpenMP's static schedule) wait
    for the slowest: the factor ``uneven`` says by how much that one is behind.

    Args:
        freq_khz: of the cluster's fastest member; the others run at their nearest clock.

    Raises:
        DeviceStableError: nothing is known of the cores.
    """
    shares = cluster.shares(threads)
    each_ms: list[dict[str, float]] = []
    factors: dict[str, float] = defaultdict(float)
    for part, count in shares:
        core = core_type(part)
        each_ms.append(latency_terms_ms(workload, core, part.nearest_khz(freq_khz), precision))
        for name, value in latency_factors(core, threads, precision, engine, soc).items():
            factors[name] += value * count / threads
    terms = {}
    for name, first_ms in each_ms[0].items():
        speed = sum(n / ms[name] for ms, (_, n) in zip(each_ms, shares, strict=True)) if first_ms else 0.0
        terms[name] = threads / speed if speed else 0.0
    if len(shares) > 1 and engine != XNNPACK:
        slowest_ms = max(sum(ms[name] for name in ARITHMETIC) for ms in each_ms)
        factors["uneven"] = math.log(slowest_ms / sum(terms[name] for name in ARITHMETIC))
    return terms, dict(factors)
