"""Which methods an ExecuTorch program has, read from the file.

Schema: https://github.com/pytorch/executorch/blob/v1.5.1/schema/program.fbs
"""

from __future__ import annotations

import struct
from pathlib import Path

from runtime.bundle import MAIN_GRAPH
from runtime.engines.flatbuffer import Table, read_uint32
from runtime.errors import BundleError

# The program stands before the weights; a frame of one method costs 1 kB of it or so per op.
_MOST_BYTES = 64 << 20
_MOST_METHODS = 32  # a prompt's and a token's, of several lengths; each is loaded to see its inputs
_PLANS, _NAME = 1, 0  # fields of Program and of ExecutionPlan


def read_methods(path: Path) -> tuple[str, ...]:
    """Return the names of the methods of the ``.pte`` file at ``path``, ``forward`` first.

    A damaged file seems to have only that: the engine that loads it says what is wrong.

    Raises:
        BundleError: it has more methods than anybody needs.
    """
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES)
    try:
        program = Table(data, read_uint32(data, 0))
        if program.count(_PLANS) > _MOST_METHODS:
            raise BundleError(
                f"{path.name} has {program.count(_PLANS)} methods, at most {_MOST_METHODS} are taken; export "
                "fewer into one file"
            )
        names = [plan.text(_NAME) or "" for plan in program.tables(_PLANS)]
    except (struct.error, IndexError, UnicodeDecodeError):
        names = []
    unique = dict.fromkeys(names or [MAIN_GRAPH])
    return tuple(sorted(unique, key=lambda name: name != MAIN_GRAPH))
