"""Files of one engine timed in turns, each in a process of its own."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from runtime.engines import EngineProcess, random_inputs


def rounds_ms(engine: str, files: Mapping[str, Path], rounds: int) -> dict[str, list[float]]:
    """Return the median latency of each file in each round; every round runs all of them."""
    found: dict[str, list[float]] = {name: [] for name in files}
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(EngineProcess(engine, path, threads=1)) for name, path in files.items()
        }
        for _ in range(rounds):
            for name, process in processes.items():
                inputs = random_inputs(process.inputs)
                # As an application runs them, back to back: the first frames after another process
                # find its weights in the cache.
                samples_ms = process.sample(inputs, warmup=3, runs=15).samples_ms
                found[name].append(statistics.median(samples_ms))
    return found
