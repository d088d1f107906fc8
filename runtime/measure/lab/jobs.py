"""One job of a lab: one block of one variant on one target. A plain function of plain arguments."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtime.device.actuators import Journal
from runtime.engines.model_file import open_bundle_or_model
from runtime.engines.programs import RUNNERS
from runtime.errors import DeviceTransientError, EdgekitError
from runtime.flow.frames import as_frames
from runtime.measure.bench import bench
from runtime.measure.lab.plan import BenchSpec, SettingsSpec
from runtime.measure.records import Record, RecordLog
from runtime.targets import TargetName, choose_settings, open_target, use_meter

DONE, RETRY, FAILED = "done", "retry", "failed"


@dataclass(frozen=True)
class LabJob:
    """What to measure; ``key`` tells jobs apart over all runs of a plan."""

    target: str
    bundle: str
    variant: str
    block: int
    settings: SettingsSpec = field(default_factory=SettingsSpec)
    bench: BenchSpec = field(default_factory=BenchSpec)
    runners: dict[str, str] = field(default_factory=dict)
    meter: str | None = None
    input_shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Target, bundle, variant, block."""
        return self.target, self.bundle, self.variant, self.block


@dataclass(frozen=True)
class LabOutcome:
    """How a job ended: ``done``, ``retry`` (the target may be back later) or ``failed``, and why.

    ``n_records`` it made on the way are kept in any case.
    """

    kind: str
    reason: str = ""
    n_records: int = 0


class _Stream(RecordLog):
    """Shows the records there are to ``bench`` and hands new ones on at once."""

    def __init__(self, known: Sequence[Record], emit: Callable[[Record], None]):
        super().__init__(Path(os.devnull))
        self._known, self._emit = known, emit
        self.n_records = 0

    def alone(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()  # the lab holds its folder

    def append(self, record: Record) -> None:
        self._emit(record)
        self.n_records += 1

    def __iter__(self) -> Iterator[Record]:
        return iter(self._known)


def run_job(job: LabJob, known: Sequence[Record], emit: Callable[[Record], None]) -> LabOutcome:
    """Measure what ``job`` says and ``known`` lacks; ``emit`` gets each record before the next is made.

    Never raises what is the target's, the bundle's or the plan's fault: that is the outcome.
    """
    log = _Stream(known, emit)
    spec, settings = job.bench, job.settings
    try:
        # Another lab may be at work on this machine, of another plan or another cluster: then this one waits.
        with _environment(job.runners), Journal().claim(TargetName.parse(job.target).machine):
            bundle = as_frames(
                open_bundle_or_model(job.bundle, tuple(job.input_shapes.items())), [job.variant]
            )
            target = use_meter(open_target(job.target), job.meter)
            bench(
                bundle,
                target,
                settings=choose_settings(
                    target, settings.threads, settings.clusters, settings.freqs_khz, settings.every
                ),
                variants=[job.variant],
                runs=spec.runs,
                warmup=spec.warmup,
                blocks=job.block + 1,  # the blocks before are known by now
                seed=spec.seed,
                fps=spec.fps,
                max_temp_c=spec.max_temp_c,
                cool_down_s=spec.cool_down_s,
                retries=spec.retries,
                with_unstable=True,  # the plan's retries are used up
                log=log,
            )
    except DeviceTransientError as err:
        return LabOutcome(RETRY, _one_line(err), log.n_records)
    except (EdgekitError, ValueError) as err:
        return LabOutcome(FAILED, _one_line(err), log.n_records)
    return LabOutcome(DONE, n_records=log.n_records)


@contextlib.contextmanager
def _environment(runners: dict[str, str]) -> Iterator[None]:
    """Say where benchmark programs are, for the time of one job."""
    values = {RUNNERS.get(engine).environment: path for engine, path in runners.items()}
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _one_line(err: Exception) -> str:
    return " ".join(str(err).split()) or type(err).__name__
