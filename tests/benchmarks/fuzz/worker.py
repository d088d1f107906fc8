"""``python -m tests.benchmarks.fuzz.worker``: try mutations of one surface; a campaign watches it.

Each line on stdout is JSON: ``ready``, ``try`` before a mutation and ``finding`` after it.
What is tried lies in the file ``trying`` meanwhile, for whoever finds this process dead.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import resource
import sys
import time
from pathlib import Path

from tests.benchmarks.fuzz.arena import Arena
from tests.benchmarks.fuzz.surface import SURFACES
from tests.benchmarks.fuzz.surfaces import load
from tests.benchmarks.fuzz.trial import mutation, try_one

_MOST_BYTES = 16 << 30


def work(name: str, seed: int, first: int, seconds: float, folder: Path) -> None:
    """Try mutations from number ``first`` on, for so many seconds."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.dup2(nothing, 0)
    # A reader that asks for terabytes is told that there are none, and takes no other process's memory.
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    load()
    arena = Arena(folder / f"arena-{first}")
    with arena.watched():
        prepared = SURFACES.get(name).prepare(arena.given)
        arena.touched()
        print(json.dumps({"ready": name}), file=answers)
        end_s = time.monotonic() + seconds
        for number in itertools.count(first):
            if time.monotonic() > end_s:
                break
            sample, data = mutation(prepared, arena, name, seed, number)
            (arena.given.parent / "tmp" / "trying").write_bytes(data)
            print(json.dumps({"try": number, "sample": sample.name}), file=answers)
            for found in try_one(prepared, arena, name, number, sample, data):
                shown = vars(found) | {"data": base64.b64encode(data).decode()}
                print(json.dumps({"finding": shown}), file=answers)
        prepared.close()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), Path(sys.argv[5]))
    os._exit(0)  # whatever threads a reader left are not waited for
