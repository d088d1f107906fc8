"""Run frames at a rate under a policy's setting, and say what they took."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.bundle import Bundle, Quantization
from runtime.bundle.figures import check_figures
from runtime.bundle.names import policy_path
from runtime.choose.policy.outcome import Outcome
from runtime.choose.policy.policy import Policy, load_policy
from runtime.device.setting import Setting
from runtime.errors import NotFittedError
from runtime.measure.quantile import quantile
from runtime.processing.classify import Guess, top_k
from runtime.processing.inputs import load_frame
from runtime.processing.int8_io import to_float, to_int8

if TYPE_CHECKING:
    import numpy as np

    from runtime.targets import Target

# The first frame allocates and fills caches, and one more to be sure: they have no deadline.
_WARMUP_FRAMES = 2


@dataclass(frozen=True)
class Prediction:
    """What the network sees in one input; ``guesses`` is empty where its output is no list of classes."""

    input: str
    guesses: tuple[Guess, ...]


@dataclass(frozen=True)
class RunResult:
    """What came of the frames.

    Attributes:
        provenance: of latency: ``measured``, ``modelled`` or ``emulated``.
        setting, setting_read: what was asked, and what the machine said it did.
        control_level: how far the clock and cores could be controlled.
        fps_target: pace of the frames; ``None`` ran them back to back.
        deadline_ms: from a frame's arrival to when it must be done; ``None``: nothing was asked.
        late_frames: done after their deadline.
        latency_ms, p90_ms: median and 90th percentile.
        energy_mj: of one frame, latency times power; ``None`` where no power is known.
        energy_source: where the power comes from, or why there is none.
        comparison: of the policy with the kernel's governors, from when it was tuned.
    """

    bundle: str
    target: str
    provenance: str
    variant: str
    engine: str
    setting: Setting
    setting_read: Setting | None
    control_level: str
    fps_target: float | None
    frames: int
    late_frames: int
    latency_ms: float
    p90_ms: float
    power_mw: float | None
    energy_mj: float | None
    energy_source: str
    predictions: tuple[Prediction, ...]
    reason: str
    comparison: tuple[Outcome, ...]
    notes: tuple[str, ...]
    deadline_ms: float | None = None

    def __post_init__(self) -> None:
        check_figures(self)


def policy_or_none(bundle: Bundle, target: Target) -> Policy | None:
    """Return the bundle's policy; ``None`` on a real target without one, which can run at the kernel's clock.

    Raises:
        NotFittedError: a virtual target has no policy: it has no kernel to leave the clock to.
    """
    if not target.is_modelled and policy_path(target.name) not in bundle.find("policy"):
        return None
    return load_policy(bundle, target.name)


def run_bundle(
    bundle: Bundle,
    target: Target,
    *,
    inputs: Sequence[str | Path] = (),
    policy: Policy | None = None,
    variant: str | None = None,
    fps: float | None = None,
    latency_ms: float | None = None,
    frames: int = 30,
    k: int = 5,
) -> RunResult:
    """Run ``frames`` frames, paced at ``fps``, and return what they took and showed.

    Args:
        inputs: images or ``.npy`` arrays, run in turn; without any, arbitrary data.
        policy: gives variant, setting and pace; ``None`` leaves the clock to the kernel.
        variant: another one than the policy's, or than the bundle's first.
        fps: another pace than the policy's.
        latency_ms: another deadline of a frame than the policy's, from its arrival; never later than the
            next frame.
        frames: at least one per input is run.
        k: how many classes to name per input.

    Raises:
        DataError: an input cannot be read.
        ValueError: an input does not fit the network, or an argument is out of range.
        NotFittedError: no policy on a virtual target.
    """
    check_pace(frames, fps, latency_ms)
    chosen = bundle.manifest.variant(variant or (policy.variant if policy else None))
    graph = bundle.manifest.graphs[chosen.graph]
    io = chosen.quantization or Quantization()
    tensors = [to_int8(load_frame(path, graph.inputs), io.inputs) for path in inputs]
    setting = policy.setting if policy else kernel_setting(target)
    pace = fps or (policy.fps_target if policy else None)
    deadline_ms = deadline_of(policy, pace, latency_ms)

    with target.session(bundle, chosen, setting) as session:
        session.sample(warmup=_WARMUP_FRAMES, runs=1)
        ran = session.run_paced(tensors, max(frames, len(inputs)), pace)
        setting_read, control_level = session.setting_read, session.control_level

    labels = bundle.labels()
    figure, latencies_ms = target.power(setting), ran.latencies_ms
    return RunResult(
        bundle=bundle.manifest.name,
        target=target.name,
        provenance=target.provenance,
        variant=chosen.name,
        engine=chosen.engine,
        setting=setting,
        setting_read=setting_read,
        control_level=control_level,
        fps_target=pace,
        frames=len(latencies_ms),
        late_frames=ran.late_frames(deadline_ms),
        deadline_ms=deadline_ms,
        latency_ms=statistics.median(latencies_ms),
        p90_ms=quantile(latencies_ms, 0.9),
        power_mw=None if figure is None else figure.power_mw,
        energy_mj=None if figure is None else figure.power_mw * statistics.fmean(latencies_ms) / 1000.0,
        energy_source=target.energy_note if figure is None else figure.source,
        predictions=tuple(
            Prediction(str(path), _guesses(to_float([scores.numpy()], io.outputs[:1])[0], labels, k))
            for path, scores in zip(inputs, ran.outputs, strict=True)
        ),
        reason=policy.reason if policy else "No policy: the kernel chooses the clock.",
        comparison=policy.comparison if policy else (),
        notes=_notes(policy, chosen.name, pace, deadline_ms, setting, setting_read),
    )


def check_pace(frames: int, fps: float | None, latency_ms: float | None) -> None:
    """Refuse a number of frames, a pace or a deadline that nothing can have.

    Raises:
        ValueError: one is out of range.
    """
    if frames < 1 or (fps is not None and not 0 < fps <= 1000):
        raise ValueError(f"frames is {frames}, fps {fps}; allowed: frames from 1, fps above 0 up to 1000")
    if latency_ms is not None and not 0 < latency_ms < math.inf:
        raise ValueError(f"latency_ms is {latency_ms}; it must be above 0, or left out")


def deadline_of(policy: Policy | None, fps: float | None, latency_ms: float | None) -> float | None:
    """Return from a frame's arrival to when it must be done, ``None`` where nothing says so."""
    if fps is None:
        return latency_ms
    period_ms = 1000.0 / fps
    if latency_ms is not None:
        return min(latency_ms, period_ms)
    return period_ms if policy is None else policy.goal.deadline_at(period_ms)


def _guesses(scores: np.ndarray, labels: Sequence[str] | None, k: int) -> tuple[Guess, ...]:
    if scores.ndim != 2 or scores.shape[0] != 1:
        return ()
    return top_k(scores, labels, k)


def kernel_setting(target: Target) -> Setting:
    """Return a setting that leaves the clock to the kernel: one thread on the fastest cores.

    Raises:
        NotFittedError: a virtual target has no kernel.
    """
    if target.is_modelled:
        raise NotFittedError(f"{target.name} has no kernel to choose a clock; run edgekit tune first")
    biggest = max(target.profile.clusters, key=target.profile.capacity)
    return Setting(biggest.name, None, 1)


def _notes(
    policy: Policy | None,
    variant: str,
    fps: float | None,
    deadline_ms: float | None,
    asked: Setting,
    read: Setting | None,
) -> tuple[str, ...]:
    notes = []
    if policy is not None and variant != policy.variant:
        notes.append(f"the policy is for {policy.variant}, {variant} was run")
    if policy is not None and fps != policy.fps_target:
        notes.append(f"the policy is for {policy.fps_target:g} FPS, frames came at {fps:g}")
    if policy is not None and deadline_ms is not None and deadline_ms < 0.999 * policy.deadline_ms:
        notes.append(f"the policy is for a deadline of {policy.deadline_ms:.3g} ms, it was {deadline_ms:.3g}")
    if policy is not None and not policy.meets_target:
        notes.append("no setting was found that meets the target: this is the fastest")
    if read is not None and read != asked and asked.freq_khz is not None:
        notes.append(f"asked for {asked}, the machine ran {read}")
    return tuple(notes)
