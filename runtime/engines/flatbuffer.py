"""Read tables of a flatbuffer without its schema's compiler.

Damaged ones raise ``struct.error`` or ``IndexError``.
https://flatbuffers.dev/internals/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator


class Table:
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
        return self._data[start : start + read_uint32(self._data, at)].decode()

    def table(self, field: int) -> Table | None:
        at = self._target(field)
        return None if at is None else Table(self._data, at)

    def numbers(self, field: int, form: str) -> tuple[int, ...]:
        """Return a vector of integers; ``form`` is ``i`` where they have 32 bits and ``q`` where 64."""
        at = self._target(field)
        if at is None:
            return ()
        return struct.unpack_from(f"<{read_uint32(self._data, at)}{form}", self._data, at + 4)

    def count(self, field: int) -> int:
        """Return the length of a vector."""
        at = self._target(field)
        return 0 if at is None else read_uint32(self._data, at)

    def tables(self, field: int) -> Iterator[Table]:
        at = self._target(field)
        if at is None:
            return
        for i in range(read_uint32(self._data, at)):
            slot = at + 4 + 4 * i
            yield Table(self._data, slot + read_uint32(self._data, slot))

    def _field(self, field: int) -> int | None:
        place = 4 + 2 * field
        if place >= self._vtable_bytes:
            return None
        offset = struct.unpack_from("<H", self._data, self._vtable + place)[0]
        return self._at + offset if offset else None

    def _target(self, field: int) -> int | None:
        at = self._field(field)
        return None if at is None else at + read_uint32(self._data, at)


def read_uint32(data: bytes, at: int) -> int:
    """Return the number at ``at``."""
    return int(struct.unpack_from("<I", data, at)[0])
