"""Records: one measurement each, kept raw, one line of JSON Lines each."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from runtime.bundle import rename_keys, write_atomic
from runtime.bundle.decoding import refuse_special
from runtime.bundle.figures import check_figures
from runtime.device.conditions import Conditions
from runtime.device.meters.memory import MemoryUse
from runtime.device.meters.reading import EnergyReading
from runtime.device.provenance import Provenance
from runtime.device.setting import Setting
from runtime.errors import DataError, VersionConflict
from runtime.flow.figures import FlowFigures
from runtime.measure.gesture_figures import GestureFigures
from runtime.measure.interval import Interval, order_statistics
from runtime.measure.log_lock import hold
from runtime.measure.quantile import quantile

# 4 calls ``first_ms`` ``first_frame_ms`` and adds memory; 3 calls ``rung`` ``control_level``; 2 added advice,
# fps_target, cooled_s, before, after, device, run, tries, energy: lines that lack those are read as unknown.
RECORD_SCHEMA = 4
OLD_NAMES = {"rung": "control_level", "first_ms": "first_frame_ms"}  # of fields, in stored records and runs
VERDICTS = ("stable", "unstable", "modelled")
_MOST_MS = 1e12  # 30 years for a frame


@dataclass(frozen=True)
class Record:
    """What ran, where, under which setting, and every sample of how long it took.

    Attributes:
        model: name of the bundle or file.
        model_sha256: of the model file, so that a record never passes for another model's.
        variant: name of the variant, such as ``litert-fp32``.
        target: ``local``, ``virtual:sdm845``, ...
        provenance: as ``Provenance`` has it.
        setting: what was asked.
        setting_read: what the machine said it did; ``None`` where it cannot say.
        control_level: how far the clock and cores could be controlled; one of
            ``runtime.device.actuators.CONTROL_LEVELS``.
        samples_ms: latency of each timed frame in ms, in order; at least one.
        first_frame_ms: the first, cold frame; not among the samples.
        power_mw: mean power while busy, ``None`` where it is unknown.
        energy_mj: energy of one frame at the median latency, likewise.
        energy_source: which table, meter or model the energy comes from, or why there is none.
        energy_basis: what that energy counts and where it was measured; unlike ones are not compared.
            ``None`` where it is not known, as in records of older versions.
        energy: what the meter saw in this block, gross, idle and by rail; ``None`` without a meter.
        verdict: ``stable``, ``unstable`` or, where nothing was timed, ``modelled``; ``reasons`` says why.
        temp_c: at the end.
        block: position in the randomised order; ``seed`` reproduces the order.
        advice: what to do about an unstable block.
        fps_target: pace at which frames were released; ``None``: back to back.
        cooled_s: waited before the block for the machine to cool down.
        before, after: what the machine did around the block.
        load_ms: what it took to read the model file and make it ready, before the first frame; ``None`` where
            it is unknown, as in records of older versions.
        tries: times the block was measured; earlier ones were unstable and are not kept.
        run: names the bench it was part of; blocks of equal ``run`` and ``block`` ran side by side.
        device: name, soc, arch, kernel and os, as far as the machine shows them.
        runs: frames that were asked for; ``None`` in older records: as many as there are samples.
        max_temp_c: the block was to start below this; ``None``: at any, or an older record.
        latency_low_ms, latency_high_ms: what a modelled latency may truly be; ``None`` where it was timed.
        memory: of the process that ran it; ``None`` where nothing ran or nobody tells.
        gesture: of a web page, whose name is ``model``; the samples are the gaps between its frames.
        flow: what a frame is and its parts, where it is a whole flow: ``variant`` is a flow's then, and
            ``model_sha256`` that of the flow and all its files. ``None``: a frame is one graph.
    """

    model: str
    model_sha256: str
    variant: str
    engine: str
    precision: str
    target: str
    provenance: str
    setting: Setting
    setting_read: Setting | None
    control_level: str
    samples_ms: tuple[float, ...]
    first_frame_ms: float | None
    warmup: int
    power_mw: float | None
    energy_mj: float | None
    energy_source: str
    temp_c: float | None
    verdict: str
    reasons: tuple[str, ...]
    block: int
    seed: int
    created_utc: str
    versions: dict[str, str] = field(default_factory=dict)
    schema_version: int = RECORD_SCHEMA
    advice: tuple[str, ...] = ()
    fps_target: float | None = None
    cooled_s: float | None = None
    before: Conditions | None = None
    after: Conditions | None = None
    device: dict[str, str] = field(default_factory=dict)
    energy: EnergyReading | None = None
    run: str | None = None
    tries: int = 1
    load_ms: float | None = None
    runs: int | None = None
    max_temp_c: float | None = None
    latency_low_ms: float | None = None
    latency_high_ms: float | None = None
    energy_basis: str | None = None
    memory: MemoryUse | None = None
    gesture: GestureFigures | None = None
    flow: FlowFigures | None = None

    def __post_init__(self) -> None:
        check_figures(self)
        if not self.samples_ms or not all(0 < sample < _MOST_MS for sample in self.samples_ms):
            raise ValueError(f"samples_ms is {self.samples_ms}; it needs positive, finite latencies")
        if self.provenance not in set(Provenance):
            raise ValueError(f"provenance is {self.provenance!r}; allowed: {', '.join(Provenance)}")
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict is {self.verdict!r}; allowed: {', '.join(VERDICTS)}")

    @property
    def is_modelled(self) -> bool:
        """Whether the latency was computed, not timed."""
        return self.provenance == Provenance.MODELLED

    @property
    def is_trusted(self) -> bool:
        """Whether nothing disturbed it: stable, or computed."""
        return self.verdict != "unstable"

    @property
    def latency_ms(self) -> float:
        """Median of the samples in ms."""
        return float(statistics.median(self.samples_ms))

    @property
    def iqr_ms(self) -> float:
        """Distance between the quartiles of the samples in ms."""
        return quantile(self.samples_ms, 0.75) - quantile(self.samples_ms, 0.25)

    @property
    def p90_ms(self) -> float:
        """90th percentile of the samples in ms."""
        return quantile(self.samples_ms, 0.9)

    @property
    def fps(self) -> float:
        """Frames per second: displayed ones of a gesture, else at the median latency."""
        return 1000.0 / self.latency_ms if self.gesture is None else self.gesture.fps

    @property
    def mode(self) -> str:
        """``paced``: frames released at their time; ``back-to-back``: each after the one before."""
        return "back-to-back" if self.fps_target is None else "paced"

    @property
    def interval_ms(self) -> Interval:
        """95 % interval of the median as far as this block alone shows; see ``runtime.measure.interval``.

        Of a modelled latency, what it may truly be.
        """
        if self.latency_low_ms is not None and self.latency_high_ms is not None:
            return Interval(self.latency_low_ms, self.latency_high_ms)
        return order_statistics(self.samples_ms)

    @property
    def probes_ms(self) -> tuple[float, ...]:
        """The probe before and after the block, where it was timed."""
        found = (moment.probe_ms for moment in (self.before, self.after) if moment is not None)
        return tuple(probe_ms for probe_ms in found if probe_ms is not None)

    def to_dict(self) -> dict[str, object]:
        """Return the record with its summary figures, ready for JSON."""
        plain: dict[str, object] = msgspec.to_builtins(self)
        return plain | {
            "latency_ms": self.latency_ms,
            "iqr_ms": self.iqr_ms,
            "p90_ms": self.p90_ms,
            "fps": self.fps,
            "mode": self.mode,
            "interval_ms": msgspec.to_builtins(self.interval_ms),
        }


class RecordLog:
    """A JSON Lines file of records that only grows; a line cut off by a crash is ignored.

    Example:
        >>> log = RecordLog(Path("records/local.jsonl"))   # doctest: +SKIP
        >>> log.append(record)                             # doctest: +SKIP
        >>> [r.latency_ms for r in log]                    # doctest: +SKIP
    """

    def __init__(self, path: Path):
        self.path = path

    def append(self, record: Record) -> None:
        """Write one record and make sure it is on the disk.

        Raises:
            DataError: a pipe, a device or a folder is there.
        """
        refuse_special(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = msgspec.json.encode(record) + b"\n"
        with self.path.open("ab+") as stream:
            if stream.tell() > 0:
                stream.seek(-1, os.SEEK_END)
                if stream.read(1) != b"\n":
                    line = b"\n" + line  # the last run died in mid-line: start a fresh one
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())

    def alone(self) -> AbstractContextManager[None]:
        """Make sure that no other process measures into this log inside the block.

        Raises:
            DeviceTransientError: one does; it is named.
        """
        return hold(self.path)

    def set_aside(self, is_unwanted: Callable[[Record], bool]) -> tuple[int, Path]:
        """Move records to a file beside this one; a lock held on the log ends here.

        Returns:
            How many were moved, and the file they are in.
        """
        aside = self.path.with_name(f"{self.path.stem}.other-machines.jsonl")
        lines: dict[bool, list[bytes]] = {True: [], False: []}
        for line, record in self._read():
            lines[is_unwanted(record)].append(line + b"\n")
        if lines[True]:
            before = aside.read_bytes() if aside.is_file() else b""
            write_atomic(aside, before + b"".join(lines[True]))  # first: killed here, they are in both
            write_atomic(self.path, b"".join(lines[False]))
        return len(lines[True]), aside

    def __iter__(self) -> Iterator[Record]:
        """Yield every whole record, oldest first.

        Raises:
            DataError: a line is whole but not a record.
            VersionConflict: a line was written under a newer schema.
        """
        return (record for _, record in self._read())

    def _read(self) -> Iterator[tuple[bytes, Record]]:
        """Yield every whole record with its line."""
        refuse_special(self.path)
        if not self.path.is_file():
            return
        lines = self.path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = msgspec.json.decode(rename_keys(line, OLD_NAMES), type=Record)
            except (msgspec.ValidationError, UnicodeError, RecursionError) as err:
                raise DataError(
                    f"{self.path} line {number} is not a record ({err}); remove the line or bench again"
                ) from err
            except msgspec.DecodeError:
                continue  # a line that a crash cut short
            if record.schema_version > RECORD_SCHEMA:
                raise VersionConflict(
                    f"{self.path} line {number} has record schema {record.schema_version}; "
                    f"this edgekit reads up to {RECORD_SCHEMA}; upgrade edgekit"
                )
            yield line, record
