"""Latency of networks measured side by side in eager PyTorch."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import torch
from torch import nn


def paired_latencies_ms(
    models: Sequence[nn.Module], example: torch.Tensor, *, runs: int = 20, warmup: int = 3
) -> list[float]:
    """Return each model's median latency in ms on one CPU thread.

    The models take turns, every round in the other order, so that a machine that gets busy or hot
    slows all of them alike.

    Args:
        models: in eval mode, on the CPU.
        example: one input, shape (1, C, H, W).
    """
    threads = torch.get_num_threads()
    samples: list[list[float]] = [[] for _ in models]
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            for turn in range(warmup + runs):
                order = range(len(models)) if turn % 2 else reversed(range(len(models)))
                for i in order:
                    begin = time.perf_counter()
                    models[i](example)
                    if turn >= warmup:
                        samples[i].append((time.perf_counter() - begin) * 1000)
    finally:
        torch.set_num_threads(threads)
    return [statistics.median(times) for times in samples]
