"""Run a bundle's flow on what the user gives: results to see, and what each part of a frame took."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.bundle import Bundle, TaskSpec
from runtime.bundle.result import Embedding
from runtime.choose.policy.policy import Policy
from runtime.device.setting import Setting
from runtime.errors import DataError
from runtime.flow.given import Loaded, enter, load_given, wanted
from runtime.flow.moment import steps_of
from runtime.flow.runner import FlowFrame, FlowRunner
from runtime.flow.sessions import GraphSessions, open_graphs
from runtime.flow.variants import choose_variants
from runtime.govern.run.run import kernel_setting
from runtime.processing.results.decode import decode
from runtime.processing.results.decoded import Decoded, Frame
from runtime.targets.name import LOCAL

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from runtime.targets import Target

PRE, POST = "pre-step", "post-step"
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
        variants: names; see ``runtime.flow.variants``.
    """

    inputs: tuple[Path, ...] = ()
    box: tuple[float, ...] | None = None
    references: tuple[Path, ...] = ()
    seed: int = 0
    count: int | None = None
    variants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """A named part of a frame: how often it ran in one, and the median of what that took together."""

    name: str
    runs: int
    latency_ms: float
    provenance: str


@dataclass(frozen=True)
class Shown:
    """One frame: what was given, its tensors and what they mean."""

    input: str
    picture: Image.Image | None
    frame: FlowFrame
    decoded: Decoded


@dataclass(frozen=True)
class FlowResult:
    """What came of the frames.

    Attributes:
        variants: graph -> variant that ran it.
        latency_ms: of a frame, median: of all parts, or of the graphs alone where the others ran on another
            machine than these.
        parts: in their order; reference work is apart.
        reference_ms: what the references took, once.
        energy_mj: of a frame, latency times power; ``None`` where no power is known.
        results: per frame, as plain data.
    """

    bundle: str
    task: str
    target: str
    provenance: str
    variants: dict[str, str]
    setting: Setting
    setting_read: Setting | None
    frames: int
    steps: int
    latency_ms: float
    parts: tuple[Part, ...]
    reference_ms: float
    energy_mj: float | None
    energy_source: str
    results: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]


def run_flow(
    bundle: Bundle, task: TaskSpec, target: Target, request: FlowRequest, policy: Policy | None = None
) -> tuple[FlowResult, tuple[Shown, ...]]:
    """Run the flow of ``task`` once per input and return what it took and showed.

    Args:
        task: ``bundle.manifest.task_or_implied``.
        policy: gives the setting; ``None`` leaves the clock to the kernel.

    Raises:
        DataError: an input cannot be read, a box is missing or wrong, a tensor is no number.
        ValueError: an input does not fit, or an argument is out of range.
        NotFittedError: no policy on a virtual target.
        DeviceError: a graph cannot run there.
    """
    needs = wanted(task.flow, bundle.manifest.graphs)
    if needs and not request.inputs:
        raise DataError(f"this bundle takes {', '.join(needs)}; give --input with a picture or an array")
    if task.flow.stop is not None:
        steps_of(task.flow.stop, request.count)  # said before anything is loaded
    elif request.count is not None:
        raise ValueError(f"{request.count} is counted, but this bundle makes no steps; leave the count out")
    variants = choose_variants(bundle.manifest, task.flow, request.variants)
    setting = policy.setting if policy else kernel_setting(target)
    loaded = [load_given(path, needs, task.flow) for path in request.inputs] or [{}]
    with open_graphs(bundle, target, setting, variants) as sessions:
        work = _Work(bundle, task, request, sessions)
        work.refer()
        if not any(use.when == "step" for use in task.flow.graphs):
            work.frame(loaded[0])  # the first frame allocates and fills caches
            work.runner.reset()
        frames = [work.frame(one) for one in loaded]
        setting_read = next(iter(sessions.sessions.values())).setting_read
    names = [str(path) for path in request.inputs] or ["-"]
    shown = tuple(Shown(name, *frame.shown) for name, frame in zip(names, frames, strict=True))
    parts = _parts(frames, target, task)
    counted = [part for part in parts if part.provenance == target.provenance]
    latency_ms = sum(part.latency_ms for part in counted)
    figure = target.power(setting)
    return (
        FlowResult(
            bundle=bundle.manifest.name,
            task=task.name,
            target=target.name,
            provenance=target.provenance,
            variants={name: variant.name for name, variant in variants.items()},
            setting=setting,
            setting_read=setting_read,
            frames=len(frames),
            steps=sum(one.frame.steps for one in shown),
            latency_ms=latency_ms,
            parts=parts,
            reference_ms=work.reference_ms,
            energy_mj=None if figure is None else figure.power_mw * latency_ms / 1000.0,
            energy_source=target.energy_note if figure is None else figure.source,
            results=tuple({"input": one.input, **one.decoded.plain()} for one in shown),
            notes=_notes(shown, parts, counted, target),
        ),
        shown,
    )


@dataclass(frozen=True)
class _Timed:
    """One frame and what its parts took in ms: graph -> each run."""

    shown: tuple[Image.Image | None, FlowFrame, Decoded]
    pre_ms: float
    graphs_ms: dict[str, list[float]]
    post_ms: float


class _Work:
    """Frames of one flow on the graphs that are loaded."""

    def __init__(self, bundle: Bundle, task: TaskSpec, request: FlowRequest, sessions: GraphSessions):
        graphs = bundle.manifest.graphs
        self._task, self._request, self._sessions = task, request, sessions
        self._needs = wanted(task.flow, graphs)
        self._reference_needs = wanted(task.flow, graphs, reference=True)
        self._labels = bundle.labels()
        self._references: dict[str, np.ndarray] = {}
        self.runner = FlowRunner(task.flow, graphs, sessions.run)
        self.reference_ms = 0.0

    def refer(self) -> None:
        """Run what is done once per reference: its own graphs, or for an embedding those of a frame."""
        paths, flow = self._request.references, self._task.flow
        has_graphs = any(use.when == "reference" for use in flow.graphs)
        is_gallery = isinstance(self._task.result, Embedding) and not has_graphs
        if has_graphs and len(paths) != 1:
            raise DataError(f"{len(paths)} references are given, one is needed; give --reference once")
        if paths and not has_graphs and not is_gallery:
            raise DataError("this bundle compares with no reference; leave --reference out")
        for path in paths:
            needs = self._needs if is_gallery else self._reference_needs
            given = enter(load_given(path, needs, flow), needs, flow, self._request.box)
            if isinstance(self._task.result, Embedding) and is_gallery:
                frame = self.runner.frame(given.values)
                self._references[path.name] = frame.outputs[self._task.result.vector][0]
            else:
                self.runner.refer(given.values)
        self.reference_ms = sum(map(sum, self._sessions.take_times().values()))

    def frame(self, loaded: Loaded) -> _Timed:
        task, request = self._task, self._request
        begin = time.perf_counter()
        given = enter(loaded, self._needs, task.flow, request.box)
        pre_ms = (time.perf_counter() - begin) * 1e3
        frame = self.runner.frame(given.values, count=request.count, seed=request.seed)
        graphs_ms = self._sessions.take_times()
        begin = time.perf_counter()
        tensors = Frame(frame.outputs, frame.draws, given.placement, self._labels, self._references)
        decoded = decode(task.result, tensors)
        post_ms = (time.perf_counter() - begin) * 1e3
        return _Timed((given.picture, frame, decoded), pre_ms, graphs_ms, post_ms)


def _parts(frames: Sequence[_Timed], target: Target, task: TaskSpec) -> tuple[Part, ...]:
    """Return the parts of a frame; what runs on this machine is measured there, whatever the target is."""
    own = "measured" if target.name == LOCAL else "measured on the host"
    parts = [Part(PRE, 1, statistics.median(frame.pre_ms for frame in frames), own)]
    for use in task.flow.graphs:
        if use.when != "reference":
            times = [frame.graphs_ms[use.name] for frame in frames]
            total_ms = statistics.median(sum(one) for one in times)
            parts.append(Part(use.name, len(times[0]), total_ms, target.provenance))
    return (*parts, Part(POST, 1, statistics.median(frame.post_ms for frame in frames), own))


def _notes(
    shown: Sequence[Shown], parts: Sequence[Part], counted: Sequence[Part], target: Target
) -> tuple[str, ...]:
    notes = []
    if len(counted) < len(parts):
        notes.append(
            f"pre-step and post-step ran on this machine, not on {target.name}: the latency is the graphs'"
        )
    closest = min(one.frame.closest for one in shown)
    if closest < _NEAR:
        notes.append(f"a draw came within {closest:.1e} of another: another engine may go on differently")
    return tuple(notes)
