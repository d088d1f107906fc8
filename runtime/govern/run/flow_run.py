"""Run a bundle's flow on what the user gives: results to see, and what each part of a frame took."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.bundle import Bundle, Flow, TaskSpec, TensorSpec
from runtime.bundle.prestep import NEEDS_BOX
from runtime.choose.policy.policy import Policy
from runtime.device.setting import Setting
from runtime.engines.pacing import ModelledTime, WallTime, released
from runtime.errors import DataError
from runtime.flow.figures import Part
from runtime.flow.frames import files_of, frames_in
from runtime.flow.given import load_given, wanted
from runtime.flow.moment import steps_of
from runtime.flow.sessions import open_graphs, steps_beside
from runtime.flow.times import parts_of, runs_steps
from runtime.flow.work import FlowWork, TimedFrame
from runtime.govern.run.run import check_pace, deadline_of, kernel_setting
from runtime.measure.quantile import quantile

if TYPE_CHECKING:
    from runtime.targets import Target

_FRAMES = 30
_NEAR = 1e-5  # engines agree to about 1e-6 of a score; a draw nearer to another than this may change


@dataclass(frozen=True)
class FlowRequest:
    """What to run a flow on.

    Attributes:
        inputs: pictures or arrays, each a frame; none where the flow needs nothing.
        box: left, top, right, bottom in pixels of the upright picture.
        references: what each frame is compared with, or coloured after.
        seed: of what is drawn.
        count: of what the flow's stop counts, such as bars; ``None``: the flow's own.
        variant: of the flow, or of its graphs: see ``runtime.flow.frames.files_of``.
        fps, latency_ms: pace and deadline; ``None``: the policy's, or none.
        frames: how many to run, the inputs in turn; ``None``: each input once, or 30 where a frame is one
            pass: the time of a few frames says little.
    """

    inputs: tuple[Path, ...] = ()
    box: tuple[float, ...] | None = None
    references: tuple[Path, ...] = ()
    seed: int = 0
    count: int | None = None
    variant: str | None = None
    fps: float | None = None
    latency_ms: float | None = None
    frames: int | None = None


@dataclass(frozen=True)
class FlowResult:
    """What came of the frames.

    Attributes:
        variants: graph -> variant that ran it.
        fps_target, deadline_ms, late_frames: as in ``RunResult``.
        latency_ms, p90_ms: of a frame, median and 90th percentile: of all parts, or of the graphs alone where
            the others ran on another machine than these.
        parts: in their order; reference work is apart.
        reference_ms: what the references took, once.
        energy_mj: of a frame, latency times power; ``None`` where no power is known.
        results: per input, as plain data.
    """

    bundle: str
    task: str
    target: str
    provenance: str
    variants: dict[str, str]
    setting: Setting
    setting_read: Setting | None
    fps_target: float | None
    deadline_ms: float | None
    frames: int
    late_frames: int
    steps: int
    latency_ms: float
    p90_ms: float
    parts: tuple[Part, ...]
    reference_ms: float
    energy_mj: float | None
    energy_source: str
    results: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]


def run_flow(
    bundle: Bundle, task: TaskSpec, target: Target, request: FlowRequest, policy: Policy | None = None
) -> tuple[FlowResult, tuple[TimedFrame, ...]]:
    """Run the flow of ``task`` and return what its frames took, and the first frame of each input.

    Args:
        task: ``bundle.manifest.task_or_implied``.
        policy: gives variant, setting and pace; ``None`` leaves the clock to the kernel.

    Raises:
        DataError: an input cannot be read, a box is missing or wrong, a tensor is no number.
        ValueError: an input does not fit, or an argument is out of range.
        NotFittedError: no policy on a virtual target.
        DeviceError: a graph cannot run there.
    """
    flow = task.flow
    needs = wanted(flow, bundle.manifest.graphs)
    _check(request, flow, needs)
    variants = files_of(bundle, flow, request.variant or (policy.variant if policy else None))
    setting = policy.setting if policy else kernel_setting(target)
    pace = request.fps or (policy.fps_target / frames_in(flow, request.count) if policy else None)
    deadline_ms = deadline_of(policy, pace, request.latency_ms)
    loaded = [load_given(path, needs, flow) for path in request.inputs] or [{}]
    count = max(len(loaded), request.frames or (1 if flow.stop else _FRAMES))
    clock = ModelledTime() if target.is_modelled else WallTime()
    frames: list[TimedFrame] = []
    late = 0
    with open_graphs(bundle, target, setting, variants) as sessions, steps_beside(target, setting):
        work = FlowWork(bundle, task, sessions, count=request.count, seed=request.seed)
        work.refer(request.references, request.box)
        work.warm_up(loaded[0], request.box)
        begin_ms = clock.now_ms()
        for number in released(count, pace, clock):
            arrival_ms = clock.now_ms() if pace is None else begin_ms + number * 1e3 / pace
            frames.append(work.frame(loaded[number % len(loaded)], request.box))
            clock.spend(frames[-1].times.latency_ms(target))
            late += deadline_ms is not None and clock.now_ms() - arrival_ms > deadline_ms
        setting_read = next(iter(sessions.sessions.values())).setting_read
    shown = tuple(frames[: len(loaded)])
    latencies_ms = [frame.times.latency_ms(target) for frame in frames]
    figure = target.power(setting)
    names = [str(path) for path in request.inputs] or [""]
    return (
        FlowResult(
            bundle=bundle.manifest.name,
            task=task.name,
            target=target.name,
            provenance=target.provenance,
            variants={name: variant.name for name, variant in variants.items()},
            setting=setting,
            setting_read=setting_read,
            fps_target=pace,
            deadline_ms=deadline_ms,
            frames=len(frames),
            late_frames=late,
            steps=shown[0].frame.steps,
            latency_ms=statistics.median(latencies_ms),
            p90_ms=quantile(latencies_ms, 0.9),
            parts=parts_of([frame.times for frame in frames], flow, target),
            reference_ms=work.reference_ms,
            energy_mj=None if figure is None else figure.power_mw * statistics.fmean(latencies_ms) / 1000.0,
            energy_source=target.energy_note if figure is None else figure.source,
            results=tuple(
                {"input": name, **one.decoded.plain()} for name, one in zip(names, shown, strict=True)
            ),
            notes=_notes(shown, target, deadline_ms),
        ),
        shown,
    )


def _check(request: FlowRequest, flow: Flow, needs: Mapping[str, TensorSpec]) -> None:
    """Refuse what cannot be run before anything is loaded."""
    if needs and not request.inputs:
        raise DataError(f"this bundle takes {', '.join(needs)}; give --input with a picture or an array")
    check_pace(1 if request.frames is None else request.frames, request.fps, request.latency_ms)
    if request.box is not None and not isinstance(flow.pre, NEEDS_BOX):
        raise ValueError("a box is given, but this bundle looks at no place of its own; leave the box out")
    if flow.stop is not None:
        steps_of(flow.stop, request.count)
    elif request.count is not None:
        raise ValueError(f"{request.count} is counted, but this bundle makes no steps; leave the count out")


def _notes(shown: Sequence[TimedFrame], target: Target, deadline_ms: float | None) -> tuple[str, ...]:
    notes = []
    if not runs_steps(target):
        notes.append(
            f"pre-step and post-step ran on this machine, not on {target.name}: the latency is the graphs'"
        )
    if not runs_steps(target) and not target.is_modelled and deadline_ms is not None:
        notes.append("whether a frame is late counts the way of its tensors to the target and back")
    closest = min(one.frame.closest for one in shown)
    if closest < _NEAR:
        notes.append(f"a draw came within {closest:.1e} of another: another engine may go on differently")
    return tuple(notes)
