"""The log of a governed run: JSON Lines, a header and then a line per frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from runtime.bundle.decoding import refuse_special
from runtime.bundle.figures import check_figures
from runtime.errors import DataError, VersionConflict

LOG_SCHEMA = 1


@dataclass(frozen=True)
class Header:
    """What was run.

    Attributes:
        provenance: of latency: ``measured`` or ``emulated``.
        fps_target, period_ms: what frames should keep.
        deadline_ms: after its release a frame is late; ``None``: a period.
        policy: ``edgekit``, or the kernel's governor that was in charge instead.
        energy_source: where the power of the lines comes from.
    """

    target: str
    provenance: str
    fps_target: float
    period_ms: float
    policy: str = "edgekit"
    energy_source: str = ""
    deadline_ms: float | None = None
    schema_version: int = LOG_SCHEMA

    def __post_init__(self) -> None:
        check_figures(self)


@dataclass(frozen=True)
class FrameLine:
    """One frame.

    Attributes:
        start_s: since the run began.
        cluster, freq_khz: it ended at; the clock is ``None`` where the kernel chose it.
        power_mw: of that setting while busy; ``None``: not known.
        energy_mj: power of the settings it ran at, times how long it did.
        trusted: whether the policy's predictions were acted on.
        reason: of the decision that led to this frame's setting, where it changed.
        read_khz: what the clock read when it was looked at last: measured clocks and those that a driver only
            bounds are another than ``freq_khz``; ``None``: not told, or the kernel's.
    """

    start_s: float
    latency_ms: float
    late: bool
    cluster: str
    freq_khz: int | None
    power_mw: float | None
    energy_mj: float | None
    trusted: bool
    reason: str = ""
    read_khz: int | None = None

    def __post_init__(self) -> None:
        check_figures(self)


class GovernedLog:
    """Writes a log; enter it, and it is closed after.

    Raises:
        DataError: the file cannot be written.
    """

    def __init__(self, path: Path, header: Header):
        self.path = path
        refuse_special(path)
        try:
            self._stream: BinaryIO = path.open("wb")
        except OSError as err:
            raise DataError(f"{path} cannot be written ({err.strerror}); choose another file") from err
        self._write(header)

    def write(self, line: FrameLine) -> None:
        """Add one frame."""
        self._write(line)

    def close(self) -> None:
        """Bring everything to the disk."""
        self._stream.close()

    def __enter__(self) -> GovernedLog:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _write(self, what: Header | FrameLine) -> None:
        self._stream.write(msgspec.json.encode(what) + b"\n")


def read_log(path: Path) -> tuple[Header, list[FrameLine]]:
    """Return what a log holds; a line cut off by a crash is left out.

    Raises:
        DataError: it is no such log, or no regular file.
        VersionConflict: a newer version wrote it.
    """
    refuse_special(path)
    try:
        lines = path.read_bytes().splitlines()
        header = msgspec.json.decode(lines[0], type=Header)
    except (OSError, IndexError, msgspec.DecodeError, UnicodeError, RecursionError) as err:
        raise DataError(f"{path} is no log of a governed run ({err}); see edgekit govern --log") from err
    if header.schema_version > LOG_SCHEMA:
        raise VersionConflict(f"{path} has schema {header.schema_version}, up to {LOG_SCHEMA} is read")
    return header, list(_frames(path, lines[1:]))


def _frames(path: Path, lines: list[bytes]) -> Iterator[FrameLine]:
    for number, line in enumerate(lines):
        try:
            yield msgspec.json.decode(line, type=FrameLine)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as err:
            if number == len(lines) - 1:
                return
            raise DataError(f"line {number + 2} of {path} is no frame ({err}); run again") from err
