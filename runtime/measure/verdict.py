"""Whether a block of samples should be believed, why not, and what to do about it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from runtime.device.actuators.domains import MAX_CLOCK_SHARE
from runtime.device.conditions import Conditions, interference
from runtime.device.setting import Setting
from runtime.measure.quantile import quantile

# All limits serve one claim: two stable medians of the same agree within 5 %, which a comparison calls no
# difference. `python -m tests.benchmarks.honesty` counts how often that holds under loads that come and go;
# docs/benchmarking.md explains the signs.
MIN_SAMPLES = 5  # fewer have no quartiles to speak of
MIN_BLOCK_S = 0.02  # shorter ones say nothing of load: the kernel counts in ticks of 4 or 10 ms
MAX_IQR_SHARE = 0.10  # of the median: half of it lies on each side, as much as the median may move
MAX_PACED_IQR_SHARE = 0.25  # the clock and the caches a frame finds after a wait differ more
# Of the median of the blocks before, and of the first third of a block: the claim itself.
MAX_DRIFT_SHARE = 0.05
# By which the probe may be slower than the fastest it was. Above the 5 % of a median: nine chunks of 2 ms
# scatter themselves. A machine slowed by less shows in the drift between blocks.
MAX_PROBE_SHARE = 0.08
# Of the CPUs in use that others may take: the work lacks that time. Below the 5 %, so that two signs just
# under their limits do not add up to much more.
MAX_CPUS_SHARE = 0.03
# Of all CPUs. On two hyperthreads of one core, 12 % of the other one costs about 4 %.
MAX_MACHINE_SHARE = 0.06
MAX_WAIT_SHARE = 0.03  # of the time it ran that the work may stand in the queue: time lost in the same way
# Of the time in which any task waited, where nothing better is known. It counts waits of tasks that the work
# never met, so it says least and is allowed most (PSI: Documentation/accounting/psi.rst).
MAX_PRESSURE_SHARE = 0.10
MAX_STEAL_SHARE = 0.02  # of the CPUs in use that the hypervisor may take

_MORE_FRAMES = "time more frames (--runs)"
_STOP_OTHERS = "stop other programs, or bench on other cores"
_COOL = "let the machine cool down (--max-temp-c), or ask for a lower clock"
_LEAVE_CPUSET = "bring the CPUs online, or start from a cpuset that holds them"
MORE_BLOCKS = "measure again on a quiet machine, more often (--blocks; gestures of a page: --runs)"


@dataclass(frozen=True)
class Verdict:
    """``stable`` or ``unstable``, with the figures that say so, and what to do about them."""

    verdict: str
    reasons: tuple[str, ...]
    advice: tuple[str, ...] = ()


Problem = tuple[str, str]  # what is wrong, and what to do


def judge(
    samples_ms: Sequence[float],
    *,
    asked: Setting,
    read: Setting | None,
    before: Conditions | None = None,
    after: Conditions | None = None,
    earlier_medians_ms: Sequence[float] = (),
    earlier_probes_ms: Sequence[float] = (),
    max_temp_c: float | None = None,
    misplaced: Sequence[str] = (),
    is_paced: bool = False,
) -> Verdict:
    """Judge one block.

    Args:
        samples_ms: its latencies in ms, in order.
        asked, read: setting, and what the machine said it was.
        before, after: what the machine did around the block; what it does not say is no doubt.
        earlier_medians_ms: of earlier blocks of the same setting.
        earlier_probes_ms: of the same blocks.
        max_temp_c: above which the block should not have started.
        misplaced: what is wrong with where threads ran.
        is_paced: frames were released at their time, with waits between them.
    """
    problems = [*_in_samples(samples_ms, is_paced), *_against_earlier(samples_ms, earlier_medians_ms)]
    problems += _in_setting(asked, read)
    problems += [(why, _LEAVE_CPUSET) for why in misplaced]
    is_short = sum(samples_ms) / 1000 < MIN_BLOCK_S
    if is_short:
        needed = math.ceil(1000 * MIN_BLOCK_S / median(samples_ms))
        problems.append(
            (
                f"the block lasted {sum(samples_ms):.2g} ms, too short to see who disturbed it",
                f"use --runs {needed} or more",
            )
        )
    if before is not None and after is not None:
        problems += _in_heat(asked, before, after, max_temp_c)
        if not is_short:
            problems += _in_load(before, after)
        problems += _in_probe(before, after, earlier_probes_ms)
    good = f"IQR is {_iqr_share(samples_ms):.1%} of the median over {len(samples_ms)} samples"
    return _verdict(problems, good)


def judge_machine(
    asked: Setting,
    read: Setting | None,
    before: Conditions,
    after: Conditions,
    earlier_probes_ms: Sequence[float] = (),
) -> Verdict:
    """Judge what the machine did around a block whose samples differ by nature, as the gaps of frames do.

    Args: as ``judge``.
    """
    problems = [
        *_in_setting(asked, read),
        *_in_heat(asked, before, after, None),
        *_in_load(before, after),
        *_in_probe(before, after, earlier_probes_ms),
    ]
    return _verdict(problems, "nothing disturbed the machine")


def _verdict(problems: Sequence[Problem], good: str) -> Verdict:
    if not problems:
        return Verdict("stable", (good,))
    advice = dict.fromkeys(what_to_do for _, what_to_do in problems)
    return Verdict("unstable", tuple(what for what, _ in problems), tuple(advice))


def distinct(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return one reason of each kind, the first; kinds differ in more than their figures."""
    kinds: dict[str, str] = {}
    for reason in reasons:
        kinds.setdefault(re.sub(r"[-+]?[0-9][0-9.]*", "#", reason), reason)
    return tuple(kinds.values())


def _iqr_share(samples_ms: Sequence[float]) -> float:
    low, median_ms, high = (quantile(samples_ms, share) for share in (0.25, 0.5, 0.75))
    return (high - low) / median_ms


def _in_samples(samples_ms: Sequence[float], is_paced: bool) -> Iterator[Problem]:
    if len(samples_ms) < MIN_SAMPLES:
        yield (
            f"{len(samples_ms)} samples are too few to judge, at least {MIN_SAMPLES} are needed",
            _MORE_FRAMES,
        )
    limit = MAX_PACED_IQR_SHARE if is_paced else MAX_IQR_SHARE
    if (iqr_share := _iqr_share(samples_ms)) > limit:
        yield f"IQR is {iqr_share:.0%} of the median (limit {limit:.0%})", MORE_BLOCKS
    third = len(samples_ms) // 3
    if third >= MIN_SAMPLES:
        first, last = samples_ms[:third], samples_ms[-third:]
        drift = median(last) / median(first) - 1
        # 3 standard errors of the difference of two medians; 1.25 sd / sqrt(n) is that of one.
        noise = 3 * math.sqrt(2 / third) * 1.25 * max(_iqr_share(first), _iqr_share(last)) / 1.35
        if abs(drift) > max(MAX_DRIFT_SHARE, noise):
            yield (
                f"the last third of the block is {drift:+.0%} off the first (limit {MAX_DRIFT_SHARE:.0%})",
                "use more --warmup if the first frames are the slow ones; otherwise " + _COOL,
            )


def _against_earlier(samples_ms: Sequence[float], earlier_medians_ms: Sequence[float]) -> Iterator[Problem]:
    if not earlier_medians_ms:
        return
    drift = median(samples_ms) / median(earlier_medians_ms) - 1
    if abs(drift) > MAX_DRIFT_SHARE:
        yield f"median moved by {drift:+.0%} from earlier blocks (limit {MAX_DRIFT_SHARE:.0%})", MORE_BLOCKS


def _in_setting(asked: Setting, read: Setting | None) -> Iterator[Problem]:
    if read is None:
        return
    if asked.freq_khz is not None and read.freq_khz is not None and _is_off(read.freq_khz, asked.freq_khz):
        yield f"clock read back as {read.freq_khz} kHz, {asked.freq_khz} kHz was asked", _COOL
    if read.threads != asked.threads:
        yield (
            f"{read.threads} threads ran, {asked.threads} were asked",
            "ask for as many as the model can use",
        )


def _is_off(read_khz: int, asked_khz: int) -> bool:
    return abs(read_khz / asked_khz - 1) > MAX_CLOCK_SHARE


def _in_heat(
    asked: Setting, before: Conditions, after: Conditions, max_temp_c: float | None
) -> Iterator[Problem]:
    if max_temp_c is not None and before.temp_c is not None and before.temp_c > max_temp_c:
        yield (
            f"it was {before.temp_c:.1f} C at the start (limit {max_temp_c:g} C)",
            "wait longer (--cool-down-s), or cool the device",
        )
    if cooling := tuple(dict.fromkeys((*before.cooling, *after.cooling))):
        yield f"the kernel throttled it: {', '.join(cooling)}", _COOL
    if (
        asked.freq_khz is not None
        and before.freq_khz is not None
        and _is_off(before.freq_khz, asked.freq_khz)
    ):
        yield f"clock was {before.freq_khz} kHz before the block, {asked.freq_khz} kHz was asked", _COOL
    low_khz, end_khz = before.max_freq_khz, after.max_freq_khz
    if low_khz is None or end_khz is None:
        return
    if low_khz != end_khz:
        what = "throttled: " if end_khz < low_khz else ""
        yield f"{what}its clock limit moved from {low_khz} to {end_khz} kHz", _COOL
    elif asked.freq_khz is not None and low_khz < asked.freq_khz and _is_off(low_khz, asked.freq_khz):
        yield f"throttled: its clock limit was {low_khz} kHz, {asked.freq_khz} kHz was asked", _COOL


def _in_load(before: Conditions, after: Conditions) -> Iterator[Problem]:
    others = interference(before, after)
    tells_load = others.cpus_share is not None or others.wait_share is not None
    pressure_share = None if tells_load else others.pressure_share
    for share, limit, what in (
        (others.cpus_share, MAX_CPUS_SHARE, "other work used {} of the cores it ran on"),
        (others.machine_share, MAX_MACHINE_SHARE, "other work used {} of the machine"),
        (others.wait_share, MAX_WAIT_SHARE, "it waited for a core for {} of the time it ran"),
        (pressure_share, MAX_PRESSURE_SHARE, "some program waited for a CPU for {} of the time"),
        (others.steal_share, MAX_STEAL_SHARE, "other guests of the host took {} of its cores"),
    ):
        if share is not None and share > limit:
            yield f"{what.format(f'{share:.0%}')} (limit {limit:.0%})", _STOP_OTHERS


def _in_probe(before: Conditions, after: Conditions, earlier_ms: Sequence[float]) -> Iterator[Problem]:
    now_ms = [probe_ms for probe_ms in (before.probe_ms, after.probe_ms) if probe_ms is not None]
    if not now_ms:
        return
    fastest_ms = min((*now_ms, *earlier_ms))
    slower = max(now_ms) / fastest_ms - 1
    if slower > MAX_PROBE_SHARE:
        yield (
            f"the machine was up to {slower:.0%} slower at a fixed task (limit {MAX_PROBE_SHARE:.0%})",
            MORE_BLOCKS,
        )
