"""Background load that starts and stops at random: processes of its own, from a seed."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

KINDS = ("none", "bursts", "periodic", "steady", "memory")


@dataclass(frozen=True)
class Load:
    """What one generator does: ``busy_s`` and ``idle_s`` are means of exponential times."""

    kind: str
    busy_s: float
    idle_s: float

    def __str__(self) -> str:
        return self.kind if self.kind == "none" else f"{self.kind} {self.busy_s:.2g}/{self.idle_s:.2g} s"


def draw_loads(rng: random.Random, n_cpus: int) -> list[Load]:
    """Return the loads of one bench: none at all in two of five, else one to ``n_cpus`` generators.

    ``bursts`` come now and then, ``periodic`` work takes a part of the time all along, ``steady``
    work begins or ends in mid-bench and lasts, ``memory`` streams through more than the caches hold.
    """
    if rng.random() < 0.4:
        return []
    return [_draw(rng) for _ in range(rng.randint(1, n_cpus))]


def _draw(rng: random.Random) -> Load:
    kind = rng.choice(KINDS[1:])
    if kind == "bursts":
        return Load(kind, rng.uniform(0.02, 0.5), rng.uniform(1.0, 5.0))
    if kind == "periodic":
        return Load(kind, rng.uniform(0.001, 0.02), rng.uniform(0.005, 0.1))
    return Load(kind, rng.uniform(2.0, 20.0), rng.uniform(2.0, 10.0))


@contextmanager
def background(loads: list[Load], seed: str) -> Iterator[None]:
    """Run ``loads`` while the block runs; every process is ended after it."""
    spawn = multiprocessing.get_context("spawn")
    arguments = [(load, f"{seed}/{number}") for number, load in enumerate(loads)]
    processes = [spawn.Process(target=_generate, args=each, daemon=True) for each in arguments]
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.join()


def _generate(load: Load, seed: str) -> None:
    rng = random.Random(seed)
    arrays = np.ones((2, 4_000_000 if load.kind == "memory" else 20_000), np.float32)
    while True:
        time.sleep(rng.expovariate(1 / load.idle_s))
        end_s = time.perf_counter() + rng.expovariate(1 / load.busy_s)
        while time.perf_counter() < end_s:
            np.add(arrays[0], 1.0, out=arrays[1])
