"""A bundle seen frame by frame: each of its variants is a whole flow on one engine in one precision."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from runtime.bundle import Bundle, FileEntry, Flow, FlowGraph, Stop, TaskSpec, Variant
from runtime.bundle.prestep import ResizeCrop
from runtime.bundle.result import Labels
from runtime.bundle.workload import Op, Workload
from runtime.flow.moment import steps_of
from runtime.flow.variants import choose_variants

PICTURE_PX = (640, 480)  # a camera's preview; the cost of a pre-step grows with its picture
WHOLE = "flow:"  # before engine and precision: such a name is never one of a single graph's file


@dataclass(frozen=True)
class FlowBundle(Bundle):
    """The bundle at ``path``, its variants whole flows; made by ``as_frames``, never written.

    Each variant has an entry among the manifest's files, whose hash stands for the flow and all its files: so
    no record or policy of one graph passes for one of the flow.

    Attributes:
        flow: of one frame: its steps end where the frame does.
        task: whose flow that is.
        files: variant -> graph -> the variant that runs it.
    """

    task: TaskSpec = field(kw_only=True)
    files: Mapping[str, Mapping[str, Variant]] = field(kw_only=True)

    @property
    def flow(self) -> Flow:
        return self.task.flow

    def workload(self, variant: Variant) -> Workload | None:
        """Return what a whole frame costs: the ops of every run of every graph; of one file as ``Bundle``."""
        if variant.name not in self.files:
            return super().workload(variant)
        ops: list[Op] = []
        for use in self.flow.graphs:
            runs = runs_of(use, self.flow.stop)
            workload = super().workload(self.files[variant.name][use.name])
            if workload is None and runs:
                return None
            ops += () if workload is None else workload.ops * runs
        return Workload(tuple(ops))


def as_frames(bundle: Bundle, names: Iterable[str] = ()) -> Bundle:
    """Return the bundle with whole flows as its variants; unchanged where one graph's file is all of a frame.

    Args:
        names: of variants that are asked for; one of a file asks for that graph alone: the bundle stays.

    Raises:
        ValueError: no engine has files of all graphs in one precision.
    """
    task = bundle.manifest.task_or_implied
    if task is None or is_classifier(task) or isinstance(bundle, FlowBundle):
        return bundle
    if not all(name.startswith(WHOLE) for name in names):
        return bundle
    flow = msgspec.structs.replace(task.flow, stop=frame_stop(task.flow))
    names = [use.name for use in flow.graphs]
    of_kind: dict[tuple[str, str], dict[str, Variant]] = {}
    for variant in bundle.manifest.variants:
        if variant.graph in names:
            of_kind.setdefault((variant.engine, variant.precision), {}).setdefault(variant.graph, variant)
    whole = {kind: of_graph for kind, of_graph in of_kind.items() if len(of_graph) == len(names)}
    if not whole:
        told = ", ".join(f"{variant.name} ({variant.graph})" for variant in bundle.manifest.variants)
        raise ValueError(
            f"{bundle.path.name} has no engine and precision in which all of {', '.join(names)} are exported "
            f"({told}); export all graphs for one engine in one precision"
        )
    entries = [_entry(bundle, flow, "-".join(kind), of_graph) for kind, of_graph in whole.items()]
    variants = [
        Variant(WHOLE + "-".join(kind), *kind, entry.path, graph=task.name)
        for kind, entry in zip(whole, entries, strict=True)
    ]
    files = dict(zip((variant.name for variant in variants), whole.values(), strict=True))
    manifest = replace(bundle.manifest, variants=tuple(variants), files=(*bundle.manifest.files, *entries))
    return FlowBundle(bundle.path, manifest, task=msgspec.structs.replace(task, flow=flow), files=files)


def files_of(bundle: Bundle, flow: Flow, names: Sequence[str] = ()) -> Mapping[str, Variant]:
    """Return a variant per graph of the flow.

    Args:
        names: the name of a whole flow's variant, or of files; see ``runtime.flow.variants``.

    Raises:
        ValueError: no such variant, or names that do not fit together.
    """
    whole = as_frames(bundle) if len(names) == 1 and names[0].startswith(WHOLE) else bundle
    if isinstance(whole, FlowBundle):
        return whole.files[whole.manifest.variant(names[0]).name]
    return choose_variants(bundle.manifest, flow, names)


def is_classifier(task: TaskSpec) -> bool:
    """Return whether the task's frame is one graph that names what a photograph shows."""
    uses = task.flow.graphs
    is_photo = task.flow.pre in (None, ResizeCrop())
    return isinstance(task.result, Labels) and is_photo and len(uses) == 1 and uses[0].when == "frame"


def frame_stop(flow: Flow) -> Stop | None:
    """Return where the steps of one frame end.

    A flow that makes its steps from a graph of the frame, as a captioner does, makes all of them in it. One
    of steps alone, as a player of tunes, goes on and on: a frame is one of what it counts, or a cycle in
    which every graph is due, and never ends early, so that every frame is the same work.
    """
    if flow.stop is None:
        return None
    if any(use.when == "frame" for use in flow.graphs):
        return Stop(steps_of(flow.stop, None), token=flow.stop.token, value=flow.stop.value)
    if flow.stop.count is not None:
        steps = flow.stop.steps_per_count
        return Stop(steps, count=flow.stop.count, steps_per_count=steps)
    cycle = math.lcm(*(use.every for use in flow.graphs if use.when == "step"))
    return Stop(min(cycle, flow.stop.most_steps))


def frames_in(flow: Flow, count: int | None) -> float:
    """Return how many frames, as they are measured and tuned for, a run of the flow makes: a tune's bars.

    Args:
        count: see ``FlowRunner.frame``.
    """
    frame = frame_stop(flow)
    if flow.stop is None or frame is None or any(use.when == "frame" for use in flow.graphs):
        return 1
    return steps_of(flow.stop, count) / frame.most_steps


def runs_of(use: FlowGraph, stop: Stop | None) -> int:
    """Return how often a graph runs in a frame whose steps end at ``stop``, at most; 0 of a reference."""
    if use.when == "step" and stop is not None:
        return math.ceil(stop.most_steps / use.every)
    return int(use.when == "frame")


def _entry(bundle: Bundle, flow: Flow, kind: str, files: Mapping[str, Variant]) -> FileEntry:
    hashes = {graph: bundle.sha256(variant.path) for graph, variant in files.items()}
    said = msgspec.json.encode((flow, sorted(hashes.items())))
    return FileEntry(f"flow/{kind}", hashlib.sha256(said).hexdigest(), 0, "model")
