"""What an ExecuTorch program says of its methods: their names, and the memory each plans.

Schema: https://github.com/pytorch/executorch/blob/v1.5.1/schema/program.fbs
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from pathlib import Path

from runtime.bundle import MAIN_GRAPH
from runtime.engines.flatbuffer import Table, read_uint32
from runtime.errors import BundleError

_MARK = b"ET"  # of the file identifier ET12, at 4
# The program stands before the weights; a frame of one method costs 1 kB of it or so per op.
_MOST_BYTES = 64 << 20
_MOST_METHODS = 32  # a prompt's and a token's, of several lengths; each is loaded to see its inputs
_MOST_PLANNED_BYTES = 1 << 48
_PLANS, _NAME, _BUFFER_SIZES = 1, 0, 8  # fields of Program and ExecutionPlan
_DAMAGED = (struct.error, IndexError, UnicodeDecodeError)


def read_methods(path: str | Path) -> tuple[str, ...]:
    """Return the names of the methods of the ``.pte`` file at ``path``, in the order of the file.

    A damaged file seems to have only ``forward``: the engine that loads it says what is wrong.

    Raises:
        BundleError: it has more methods than anybody needs.
    """
    try:
        names = [plan.text(_NAME) or "" for plan in _plans(path)]
    except _DAMAGED:
        names = []
    if len(names) > _MOST_METHODS:
        raise BundleError(
            f"{Path(path).name} has more than {_MOST_METHODS} methods, which is the most that is taken; "
            "export fewer into one file"
        )
    return tuple(dict.fromkeys(names or [MAIN_GRAPH]))


def planned_bytes(path: str | Path, method: str) -> int | None:
    """Return the sum of the buffers that ``method`` of a ``.pte`` file plans, ``None`` of another file.

    They hold tensors between ops. XNNPACK's own workspace is no part of them, and what LiteRT plans when
    it loads a file stands nowhere.

    Args:
        method: where it is the only one, any name will do, as for an engine.
    """
    try:
        planned = {plan.text(_NAME): plan.numbers(_BUFFER_SIZES, "q") for plan in _plans(path)}
    except (OSError, *_DAMAGED):
        return None
    sizes = planned.get(method) if len(planned) != 1 else next(iter(planned.values()))
    total = -1 if sizes is None else sum(sizes)
    return total if 0 <= total < _MOST_PLANNED_BYTES else None


def _plans(path: str | Path) -> Iterator[Table]:
    """Yield the table of each method, at most one more than are taken."""
    with open(path, "rb") as file:
        start = file.read(8)
        if start[4:6] != _MARK:
            return
        data = start + file.read(_MOST_BYTES)
    yield from itertools.islice(Table(data, read_uint32(data, 0)).tables(_PLANS), _MOST_METHODS + 1)
