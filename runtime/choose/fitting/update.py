"""Correct a predictor by what a governed run measured."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from runtime.bundle import Bundle
from runtime.choose.fitting.features import COST_NAMES
from runtime.choose.fitting.result import FitResult
from runtime.choose.fitting.storage import load_fit, save_fit
from runtime.choose.fitting.usable import features_of
from runtime.choose.policy.estimate import Option
from runtime.choose.policy.policy import Policy, load_policy
from runtime.device.provenance import least_certain
from runtime.errors import DataError
from runtime.measure.frame_log import FrameLine, read_log

if TYPE_CHECKING:
    from runtime.targets import Target

# A predictor gives medians of back-to-back frames; a case is the median of as many in a row as a block of
# `edgekit bench` has by default, so that the two scatter alike.
FRAMES_PER_CASE = 30
_LEAST_FRAMES = 5  # the median of fewer moves with one outlier; as MIN_SAMPLES of a verdict


def update_fit(bundle: Bundle, target: Target, log: Path) -> tuple[Bundle, FitResult]:
    """Show the bundle's predictor for ``target`` a governed run, let it correct itself, and save it.

    Frames in a row at one setting make a case, their median. Where more cases fall out of the intervals
    than chance explains, the predictor is shifted and its intervals are widened; else nothing changes.

    Args:
        log: as ``edgekit govern`` writes it. Which variant and how many threads ran is known by the
            bundle's policy for ``target``.

    Raises:
        NotFittedError: the bundle has no predictor or no policy for ``target``.
        DataError: the log is of another target or kernel's governor, or nothing in it can be used.
    """
    header, lines = read_log(log)
    if header.target != target.name or header.policy != "edgekit":
        raise DataError(
            f"{log} is of {header.policy} on {header.target}; give the log of a run that edgekit governed "
            f"on {target.name}"
        )
    fit, predictor = load_fit(bundle, target.name)
    options, left_out = _options(lines, load_policy(bundle, target.name))
    cases, few = _cases(options)
    left_out |= {"fewer than 5 frames in a row at a setting": few}
    from predictors import OnlineLatency

    with_costs = fit.features[-1] == COST_NAMES[-1]
    online = predictor if isinstance(predictor, OnlineLatency) else OnlineLatency(predictor)
    known = []
    for option, latency_ms in cases:
        row = features_of(bundle, target.profile, option.variant, option.setting, with_costs)
        if fit.covers(option.setting) and online.is_inside(row[None])[0]:
            known.append((row, latency_ms))
    left_out["settings beyond what was benched"] = len(cases) - len(known)
    if not known:
        raise DataError(f"{log} holds no frames that {target.name}'s predictor knows: {_told(left_out)}")
    X, y = np.stack([row for row, _ in known]), np.array([latency_ms for _, latency_ms in known])
    before = getattr(online, "drifts_", 0)
    online.partial_fit(X, y)
    low_ms, high_ms = online.predict_interval(X).T
    off_pct = 100.0 * float(np.mean(np.abs(online.predict(X) / y - 1)))
    result = replace(
        fit,
        scores={**fit.scores, f"{fit.chosen}, corrected": off_pct},
        holdout_mape_pct=off_pct,
        interval_pct=100.0 * float(np.expm1(np.median(np.log(high_ms / low_ms)) / 2)),
        n_records=len(known),
        n_groups=len({option for option, _ in cases}),
        left_out={reason: count for reason, count in left_out.items() if count},
        provenance=least_certain((fit.provenance, header.provenance)),
        made_by="update",
        drifts=fit.drifts + online.drifts_ - before,
        created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
    return save_fit(bundle, result, online), result


def _options(lines: Iterable[FrameLine], policy: Policy) -> tuple[list[tuple[Option, float]], dict[str, int]]:
    """Return what each frame ran as, with its latency, in order; and how many are unknown."""
    by_clock: dict[tuple[str, int | None], set[Option]] = {}
    for estimate in (*policy.considered, policy.chosen):
        key = estimate.setting.cluster, estimate.setting.freq_khz
        by_clock.setdefault(key, set()).add(Option(estimate.variant, estimate.setting))
    chosen = policy.chosen
    found, unknown, ambiguous = [], 0, 0
    for line in lines:
        options = by_clock.get((line.cluster, line.freq_khz), set())
        alike = {
            o for o in options if (o.variant, o.setting.threads) == (chosen.variant, chosen.setting.threads)
        }
        if len(options) == 1 or alike:
            found.append((next(iter(alike or options)), line.latency_ms))
        else:
            unknown, ambiguous = unknown + (not options), ambiguous + bool(options)
    return found, {"clocks the policy does not know": unknown, "several variants or threads": ambiguous}


def _cases(frames: Sequence[tuple[Option, float]]) -> tuple[list[tuple[Option, float]], int]:
    """Return the median latency of frames in a row at one setting, and how many frames are in too few."""
    cases, few = [], 0
    for option, run in itertools.groupby(frames, key=lambda frame: frame[0]):
        latencies_ms = [latency_ms for _, latency_ms in run]
        for start in range(0, len(latencies_ms), FRAMES_PER_CASE):
            batch = latencies_ms[start : start + FRAMES_PER_CASE]
            if len(batch) < _LEAST_FRAMES:
                few += len(batch)
            else:
                cases.append((option, statistics.median(batch)))
    return cases, few


def _told(left_out: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count) or "it is empty"
