"""Read the events of an ETDump, ExecuTorch's profile, without its developer tools.

Those take 8 s to import, and a compiler of flatbuffers. Schema:
https://github.com/pytorch/executorch/blob/main/devtools/etdump/etdump_schema_flatcc.fbs
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from runtime.engines.flatbuffer import Table, read_uint32

_SIZE_PREFIX_BYTES = 4
_IDENTIFIER = b"ED00"


@dataclass(frozen=True)
class DumpEvent:
    """One profile event of one run.

    Attributes:
        name: of the op or of the runtime's own step; ``None`` for an op inside a delegate.
        instruction: of the program that was running, -1: none.
        delegate_op: the delegate's name for the op inside it, else ``None``.
    """

    name: str | None
    instruction: int
    delegate_op: str | None
    start_ns: int
    end_ns: int


def read_etdump(data: bytes) -> list[tuple[str, list[DumpEvent]]]:
    """Return name and profile events of each run, in order.

    Raises:
        ValueError: not an ETDump.
    """
    if data[8:12] != _IDENTIFIER:
        raise ValueError(f"not an ETDump: its mark is {data[8:12]!r}, ED00 is needed")
    try:
        root = Table(data, _SIZE_PREFIX_BYTES + read_uint32(data, _SIZE_PREFIX_BYTES))
        return [(run.text(0) or "", list(_events(run))) for run in root.tables(1)]
    except (struct.error, IndexError, UnicodeDecodeError) as err:
        raise ValueError(f"damaged ETDump ({err})") from err


def _events(run: Table) -> Iterator[DumpEvent]:
    for event in run.tables(3):
        profile = event.table(0)
        if profile is not None:  # else an allocation or a tensor that was logged
            yield DumpEvent(
                name=profile.text(0),
                instruction=profile.number(2, "<i", -1),
                delegate_op=profile.text(4),
                start_ns=profile.number(6, "<Q", 0),
                end_ns=profile.number(7, "<Q", 0),
            )
