"""One mutation after another given to a surface, in this process."""

from __future__ import annotations

import random
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks.fuzz.arena import Arena
from tests.benchmarks.fuzz.surface import Prepared, Sample, mutate


@dataclass(frozen=True)
class Finding:
    """A mutation that ended as none should: ``kind`` is traceback, signal, hang or outside."""

    surface: str
    number: int
    kind: str
    sample: str
    data: bytes
    detail: str


def mutation(prepared: Prepared, arena: Arena, surface: str, seed: int, number: int) -> tuple[Sample, bytes]:
    """Return which sample mutation ``number`` damages, and the damaged bytes: the same each time."""
    rng = random.Random(f"{surface}:{seed}:{number}")
    sample = rng.choice(prepared.samples)
    return sample, mutate(sample, rng, arena.paths)


def try_one(
    prepared: Prepared, arena: Arena, surface: str, number: int, sample: Sample, data: bytes
) -> Iterator[Finding]:
    """Give ``data`` to the readers and yield what is wrong with how they took it."""
    try:
        prepared.read(sample, data)
    except prepared.refusals:
        pass
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 (whatever it is, is the finding; a panic in Rust is no Exception)
        yield Finding(surface, number, "traceback", sample.name, data, traceback.format_exc())
    if touched := arena.touched(only_changes=prepared.names_files):
        yield Finding(surface, number, "outside", sample.name, data, "; ".join(touched))
