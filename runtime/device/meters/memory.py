"""How much memory a process holds: ``/proc/PID/status`` (Documentation/filesystems/proc.rst).

Not ``ru_maxrss``, which survives ``exec``: of a worker it would tell the peak of the program that started it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.device.sysfs import parse_int, read_text

_RESIDENT, _PEAK = "VmRSS", "VmHWM"
_KIB = 1024
_MOST_BYTES = 1 << 48


@dataclass(frozen=True)
class MemoryUse:
    """Memory of the process that ran a model; what nobody tells is ``None``.

    Attributes:
        peak_bytes: most that it held at a time, interpreter and engine included.
        model_bytes: of these what came with the model: the peak over what it held before it read the file.
        arena_bytes: what the engine planned for tensors between ops; part of the above.
    """

    peak_bytes: int | None = None
    model_bytes: int | None = None
    arena_bytes: int | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not 0 <= value < _MOST_BYTES:
                raise ValueError(
                    f"{name} is {value}; no machine has that, from 0 to {_MOST_BYTES} is allowed"
                )

    @property
    def model_mb(self) -> float | None:
        """``model_bytes`` in MB (powers of 1000)."""
        return None if self.model_bytes is None else self.model_bytes / 1e6


def memory_use(pid: int, held_bytes: int | None, arena_bytes: int | None) -> MemoryUse | None:
    """Return the memory of process ``pid`` until now, ``None`` where nothing is known.

    Args:
        held_bytes: that it held before it read its model.
    """
    peak_bytes = _read_bytes(str(pid), _PEAK)
    if peak_bytes is None and arena_bytes is None:
        return None
    model_bytes = None
    if peak_bytes is not None and held_bytes is not None and 0 <= held_bytes <= peak_bytes:
        model_bytes = peak_bytes - held_bytes
    return MemoryUse(peak_bytes, model_bytes, arena_bytes)


def most_memory(uses: Sequence[MemoryUse]) -> MemoryUse | None:
    """Return the most of each kind, ``None`` of none."""
    if not uses:
        return None
    kinds = zip(*((use.peak_bytes, use.model_bytes, use.arena_bytes) for use in uses), strict=True)
    return MemoryUse(*(max((value for value in kind if value is not None), default=None) for kind in kinds))


def begin_load() -> int | None:
    """Return what this process holds in bytes, and begin its peak anew: what it imported is no model's."""
    with contextlib.suppress(OSError):  # without it a peak of the imports may hide a small model
        Path("/proc/self/clear_refs").write_text("5")
    return _read_bytes("self", _RESIDENT)


def _read_bytes(process: str, key: str) -> int | None:
    for line in (read_text(Path(f"/proc/{process}/status")) or "").splitlines():
        name, _, value = line.partition(":")
        if name == key:
            kib = parse_int(value.removesuffix("kB").strip())
            return None if kib is None else kib * _KIB
    return None
