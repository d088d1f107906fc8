"""Whether a block of samples should be believed, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runtime.setting import Setting

MIN_SAMPLES = 5
MAX_IQR_SHARE = 0.10  # of the median
MAX_DRIFT_SHARE = 0.10  # of the median of the blocks before
MAX_BACKGROUND_SHARE = 0.20  # of all CPUs


@dataclass(frozen=True)
class Verdict:
    """``stable`` or ``unstable``, with the figures that say so."""

    verdict: str
    reasons: tuple[str, ...]


def judge(
    samples_ms: Sequence[float],
    *,
    asked: Setting,
    read: Setting | None,
    earlier_medians_ms: Sequence[float] = (),
    background_share: float | None = None,
) -> Verdict:
    """Judge one block.

    Args:
        samples_ms: its latencies in ms.
        asked, read: setting, and what the machine said it was.
        earlier_medians_ms: of earlier blocks of the same setting.
        background_share: part of the machine that others used, 0 to 1; ``None`` if unknown.
    """
    median_ms = float(np.median(samples_ms))
    low, high = np.percentile(samples_ms, [25, 75])
    iqr_share = float(high - low) / median_ms
    problems = []
    if len(samples_ms) < MIN_SAMPLES:
        problems.append(f"{len(samples_ms)} samples are too few to judge, at least {MIN_SAMPLES} are needed")
    if iqr_share > MAX_IQR_SHARE:
        problems.append(f"IQR is {iqr_share:.0%} of the median (limit {MAX_IQR_SHARE:.0%})")
    if earlier_medians_ms:
        drift = median_ms / float(np.median(earlier_medians_ms)) - 1
        if abs(drift) > MAX_DRIFT_SHARE:
            problems.append(f"median moved by {drift:+.0%} from earlier blocks (limit {MAX_DRIFT_SHARE:.0%})")
    if background_share is not None and background_share > MAX_BACKGROUND_SHARE:
        problems.append(
            f"other work used {background_share:.0%} of the machine (limit {MAX_BACKGROUND_SHARE:.0%})"
        )
    problems += _differences(asked, read)
    if problems:
        return Verdict("unstable", tuple(problems))
    return Verdict("stable", (f"IQR is {iqr_share:.1%} of the median over {len(samples_ms)} samples",))


def _differences(asked: Setting, read: Setting | None) -> list[str]:
    if read is None:
        return []
    found = []
    if asked.freq_khz is not None and read.freq_khz is not None and read.freq_khz != asked.freq_khz:
        found.append(f"clock read back as {read.freq_khz} kHz, {asked.freq_khz} kHz was asked")
    if read.threads != asked.threads:
        found.append(f"{read.threads} threads ran, {asked.threads} were asked")
    return found
