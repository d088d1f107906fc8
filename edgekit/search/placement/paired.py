"""Latency of exported networks on an engine of this machine, measured side by side."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Sequence

import torch
from torch import nn

from edgekit.export.backend import EXPORT_BACKENDS
from edgekit.export.lower import lower
from runtime.device.actuators import allowed_cpus
from runtime.engines import EngineProcess, random_inputs

RUNS, WARMUP = 30, 3


def paired_engine_latencies_ms(
    models: Sequence[nn.Module], example: torch.Tensor, engine: str, *, rounds: int = 10
) -> list[float]:
    """Return each model's latency in ms, exported for ``engine``, on one thread of this machine.

    Each runs in a process of its own, pinned to one CPU. They take turns in rounds, every round in
    the other order. The figure is the median of the quietest round: other work on the machine can
    only make a round slower.

    Args:
        models: are exported as ``edgekit export`` does, without its gates.
        example: one input, shape (1, C, H, W).
        engine: one of ``EXPORT_BACKENDS``.

    Raises:
        ValueError: unknown engine.
        ExportError, DeviceError: a model cannot be exported or run.
    """
    backend = EXPORT_BACKENDS.get(engine)
    cpus = (allowed_cpus() or ())[-1:] or None  # the first CPU does the kernel's housekeeping
    medians_ms: list[list[float]] = [[] for _ in models]
    with contextlib.ExitStack() as stack:
        workers = []
        for model in models:
            path = stack.enter_context(backend(lower(model), (example,)).as_file())
            workers.append(stack.enter_context(EngineProcess(engine, path, cpus=cpus)))
        inputs = random_inputs(workers[0].inputs)
        for turn in range(rounds):
            order = range(len(workers)) if turn % 2 else reversed(range(len(workers)))
            for i in order:
                samples = workers[i].sample(inputs, warmup=WARMUP, runs=RUNS)
                medians_ms[i].append(statistics.median(samples.samples_ms))
    return [min(medians) for medians in medians_ms]
