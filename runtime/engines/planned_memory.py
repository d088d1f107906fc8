"""What an engine plans for tensors between ops before a model runs, as its file tells.

ExecuTorch's ``.pte`` holds the sizes of its planned buffers (schema/program.fbs). LiteRT plans its arena when
it loads a file and shows the size nowhere. XNNPACK's own workspace is part of neither.
"""

from __future__ import annotations

import mmap
import struct

from runtime.engines.flatbuffer import Table, read_uint32

_MARK = b"ET"  # of the file identifier ET12, at 4
_PLANS, _NAME, _BUFFER_SIZES = 1, 0, 8  # fields of Program and ExecutionPlan
_MOST_BYTES = 1 << 48


def planned_bytes(path: str, graph: str = "forward") -> int | None:
    """Return the sum of the buffers that ``graph`` of a ``.pte`` file plans, ``None`` of another file."""
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[4:6] != _MARK:
                return None
            for plan in Table(data, read_uint32(data, 0)).tables(_PLANS):
                if plan.text(_NAME) == graph:
                    total = sum(plan.long_integers(_BUFFER_SIZES))
                    return total if 0 <= total < _MOST_BYTES else None
    except (OSError, ValueError, struct.error, IndexError):  # ValueError: an empty file, or no text
        return None
    return None
