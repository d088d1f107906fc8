"""Read the events of an ETDump, ExecuTorch's profile, without its developer tools.

Those take 8 s to import, and a compiler of flatbuffers. Schema:
https://github.com/pytorch/executorch/blob/main/devtools/etdump/etdump_schema_flatcc.fbs
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

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
        root = _Table(data, _SIZE_PREFIX_BYTES + _uint32(data, _SIZE_PREFIX_BYTES))
        return [(run.text(0) or "", list(_events(run))) for run in root.tables(1)]
    except (struct.error, IndexError, UnicodeDecodeError) as err:
        raise ValueError(f"damaged ETDump ({err})") from err


def _events(run: _Table) -> Iterator[DumpEvent]:
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


class _Table:
    """A flatbuffer table; fields go by their place in the schema."""

    def __init__(self, data: bytes, at: int):
        self._data, self._at = data, at
        self._vtable = at - struct.unpack_from("<i", data, at)[0]
        self._vtable_bytes = struct.unpack_from("<H", data, self._vtable)[0]

    def number(self, field: int, form: str, default: int) -> int:
        at = self._field(field)
        return default if at is None else int(struct.unpack_from(form, self._data, at)[0])

    def text(self, field: int) -> str | None:
        at = self._target(field)
        if at is None:
            return None
        start = at + 4
        return self._data[start : start + _uint32(self._data, at)].decode()

    def table(self, field: int) -> _Table | None:
        at = self._target(field)
        return None if at is None else _Table(self._data, at)

    def tables(self, field: int) -> Iterator[_Table]:
        at = self._target(field)
        if at is None:
            return
        for i in range(_uint32(self._data, at)):
            slot = at + 4 + 4 * i
            yield _Table(self._data, slot + _uint32(self._data, slot))

    def _field(self, field: int) -> int | None:
        place = 4 + 2 * field
        if place >= self._vtable_bytes:
            return None
        offset = struct.unpack_from("<H", self._data, self._vtable + place)[0]
        return self._at + offset if offset else None

    def _target(self, field: int) -> int | None:
        at = self._field(field)
        return None if at is None else at + _uint32(self._data, at)


def _uint32(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])
