"""LiteRT's ``benchmark_model``: flags and output, all times in microseconds.

Source: tensorflow/lite/tools/benchmark/{benchmark_model.cc,README.md} and
tensorflow/core/util/stats_calculator.h (``Stat::OutputToStream``). The program keeps no list of
single frames; it prints count, first, last (``curr``), min, max, mean. So it is started several times
for two timed frames each: both are then printed as they were measured, and nothing is made up.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from runtime.engines.programs.runner import RUNNERS, ProgramRequest, Timings, last_words
from runtime.errors import DeviceStableError

FRAMES_PER_START = 2  # the first and the last of them are printed, so both are known
_STATS = re.compile(r"\bcount=(\d+)((?:[ \t]+\w+=[-+.\w]+)*)(\(all same\))?")
_PAIR = re.compile(r"(\w+)=([-+.\w]+)")
_TIMINGS = re.compile(
    r"Inference timings in us: Init: (?P<init>[-+.\w]+), First inference: (?P<first>[-+.\w]+), "
    r"Warmup \(avg\): (?P<warmup>[-+.\w]+), Inference \(avg\): (?P<mean>[-+.\w]+)"
)
# "MB" are MiB: tensorflow/lite/profiling/memory_info.cc divides getrusage's KiB by 1024.
_MEMORY = re.compile(r"Memory footprint delta[^:]*: init=[-+.\w]+ overall=([-+.\w]+)")
_LOADED = re.compile(r"Initialized session in ([-+.\w]+?)ms")
_THREADS = re.compile(r"(?:#threads used for CPU inference|Num threads): \[(\d+)\]")


@dataclass(frozen=True)
class RunStats:
    """One ``count=...`` line, in us; what the line leaves out is ``None``."""

    count: int
    first_us: float | None
    last_us: float | None
    min_us: float | None
    max_us: float | None
    mean_us: float | None

    @property
    def frames_us(self) -> tuple[float, ...]:
        """Frames that the line gives one by one: the first and the last, or all if all took the same."""
        if self.first_us is None:
            return () if self.last_us is None else (self.last_us,) * self.count  # "(all same)"
        assert self.last_us is not None
        return (self.first_us, self.last_us)


def parse_stats(text: str) -> list[RunStats]:
    """Return every ``count=...`` line of an output, in order; lines with a wrong number are left out."""
    found = []
    for match in _STATS.finditer(text):
        pairs = {name: _number(value) for name, value in _PAIR.findall(match.group(2))}
        count, last_us = int(match.group(1)), pairs.get("curr")
        is_whole = last_us is not None and ("first" in pairs or count == 1 or match.group(3))
        if count == 0 or is_whole:
            first_us = pairs.get("first")
            ends = (pairs.get("min"), pairs.get("max"), pairs.get("avg"))
            found.append(RunStats(count, first_us, last_us, *ends))
    return found


class BenchmarkModel:
    """See ``ProgramRunner``.

    Example:
        >>> text = "count=2 first=2010 curr=1990 min=1990 max=2010 avg=2000 std=10"
        >>> parse_stats(text)[0].frames_us
        (2010.0, 1990.0)
    """

    program = "benchmark_model"
    engine = "litert"
    environment = "EDGEKIT_ADB_BENCHMARK_MODEL"
    help_flag: str | None = None
    log_tag: str | None = None

    def invocations(self, request: ProgramRequest) -> int:
        return math.ceil(request.runs / FRAMES_PER_START)

    def arguments(self, request: ProgramRequest, options: str) -> list[str]:
        return self._arguments(request, min(request.runs, FRAMES_PER_START))

    def steady_arguments(self, request: ProgramRequest, options: str) -> list[str]:
        return self._arguments(request, request.runs)

    def steady_s(self, text: str, request: ProgramRequest) -> float:
        stats = parse_stats(text)
        # Of a single frame no mean is printed.
        mean_us = (stats[-1].mean_us or stats[-1].last_us) if stats else None
        if mean_us is None or stats[-1].count < request.runs or mean_us <= 0:
            raise DeviceStableError(
                f"{self.program} printed no mean of {request.runs} frames; expected a line 'count=.. "
                f"avg=..', got: {last_words(text)}"
            )
        return request.runs * max(mean_us / 1e6, 0.0 if request.fps is None else 1 / request.fps)

    def _arguments(self, request: ProgramRequest, frames: int) -> list[str]:
        pace = [] if request.fps is None else [f"--run_frequency={request.fps:g}"]
        return [
            f"--graph={request.model}",
            f"--num_threads={request.threads}",
            f"--num_runs={frames}",
            "--min_secs=0",  # else it runs on for a second and prints only the mean of that
            f"--warmup_runs={request.warmup + 1}",  # the cold frame is the first of them
            "--warmup_min_secs=0",
            *pace,
        ]

    def parse(self, text: str, request: ProgramRequest) -> Timings:
        # Lines come in pairs, of the warm-up and of the timed frames; the cold frame is the very first one.
        stats = parse_stats(text)
        warm, timed = stats[0::2], stats[1::2]
        samples_us = [frame_us for one in timed for frame_us in one.frames_us]
        threads = _THREADS.search(text)
        used = None if threads is None else int(threads.group(1))
        if len(warm) == len(timed) and samples_us and min(samples_us) > 0:
            first_us = next(iter(warm[0].frames_us), None)
            first_ms = None if first_us is None else first_us / 1000
            samples_ms = tuple(us / 1000 for us in samples_us[: request.runs])
            return Timings(first_ms, samples_ms, used, load_ms=_load_ms(text), model_bytes=_model_bytes(text))
        means_us = [_number(match["mean"]) for match in _TIMINGS.finditer(text)]
        known_us = [mean_us for mean_us in means_us if mean_us is not None and mean_us > 0]
        if not known_us or len(known_us) != len(means_us):
            raise DeviceStableError(
                f"{self.program} printed no latencies that can be read; expected lines 'count=.. first=.. "
                f"curr=..' in pairs, got: {last_words(text)}"
            )
        frames = min(request.runs, FRAMES_PER_START)
        note = f"samples are means of {frames} frames: {self.program} printed no single ones"
        means_ms = tuple(mean_us / 1000 for mean_us in known_us)
        return Timings(None, means_ms, used, note, _load_ms(text), _model_bytes(text))


def _load_ms(text: str) -> float | None:
    """Return what the first start took to load the model, as only that one finds no warm file."""
    found = _LOADED.search(text)
    return None if found is None else _number(found.group(1))


def _model_bytes(text: str) -> int | None:
    """Return the most memory that any start held over what it held at first."""
    found = [mb for each in _MEMORY.findall(text) if (mb := _number(each)) is not None and mb > 0]
    return round(max(found) * 1024**2) if found else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


RUNNERS.register("litert")(BenchmarkModel())
