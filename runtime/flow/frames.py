"""A bundle seen frame by frame: each of its variants is a whole flow, each graph of it in one file."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from runtime.bundle import Bundle, FileEntry, Flow, FlowGraph, Stop, TaskSpec, Variant
from runtime.bundle.prestep import ResizeCrop
from runtime.bundle.result import Labels
from runtime.bundle.workload import Op, Workload
from runtime.flow.moment import steps_of
from runtime.flow.variants import choose_variants, kind_of

PICTURE_PX = (640, 480)  # a camera's preview; the cost of a pre-step grows with its picture
WHOLE = "flow:"  # before engine and precision: such a name is never one of a single graph's file


@dataclass(frozen=True)
class FlowBundle(Bundle):
    """The bundle at ``path``, its variants whole flows; made by ``as_frames``, never written.

    A variant whose graphs differ in engine or precision has those of the first graph; its name tells all.

    Each variant has an entry among the manifest's files, whose hash stands for the flow and all its files: so
    no record or policy of one graph passes for one of the flow.

    Attributes:
        flow: of one frame: its steps end where the frame does.
        task: whose flow that is.
        plain: the bundle as it is on the disk, its variants one file each.
        files: variant -> graph -> the variant that runs it.
        asked: names as they were asked for -> the variants that these are.
    """

    task: TaskSpec = field(kw_only=True)
    plain: Bundle = field(kw_only=True)
    files: Mapping[str, Mapping[str, Variant]] = field(kw_only=True)
    asked: Mapping[str, str] = field(kw_only=True)

    @property
    def flow(self) -> Flow:
        return self.task.flow

    def workload(self, variant: Variant) -> Workload | None:
        """Return what a whole frame costs: the ops of every run of every graph; of one file as ``Bundle``."""
        if variant.name not in self.files:
            return super().workload(variant)
        costs = self.costs(variant)
        return Workload(tuple(op for part, _ in costs for op in part.ops)) if costs else None

    def costs(self, variant: Variant) -> tuple[tuple[Workload, str], ...]:
        if variant.name not in self.files:
            return super().costs(variant)
        ops: dict[str, tuple[Op, ...]] = {}
        for use in self.flow.graphs:
            runs, file = runs_of(use, self.flow.stop), self.files[variant.name][use.name]
            workload = super().workload(file)
            if workload is None and runs:
                return ()
            ops[file.precision] = ops.get(file.precision, ()) + (workload.ops * runs if workload else ())
        return tuple((Workload(part), precision) for precision, part in ops.items())


def as_frames(bundle: Bundle, names: Iterable[str] = ()) -> Bundle:
    """Return the bundle with whole flows as its variants; unchanged where one graph's file is all of a frame.

    Args:
        names: of variants that are asked for; one of a file asks for that graph alone: the bundle stays.
            ``bar=litert-fp32,note=executorch-fp32`` asks for a flow whose graphs differ; see
            ``runtime.flow.variants``.

    Raises:
        ValueError: no engine has files of all graphs in one precision, or a name of a graph or file is none.
    """
    asked = tuple(names)
    task = bundle.manifest.task_or_implied
    if task is None or is_classifier(task) or isinstance(bundle, FlowBundle):
        return bundle
    if not all(map(is_whole, asked)):
        return bundle
    flow = msgspec.structs.replace(task.flow, stop=frame_stop(task.flow))
    graphs = [use.name for use in flow.graphs]
    of_kind: dict[str, dict[str, Variant]] = {}
    for variant in bundle.manifest.variants:
        if variant.graph in graphs:
            of_kind.setdefault(WHOLE + kind_of(variant), {}).setdefault(variant.graph, variant)
    whole = {name: files for name, files in of_kind.items() if len(files) == len(graphs)}
    mixes = {name: files_of(bundle, flow, name) for name in asked if "=" in name}
    whole |= {_name(files): dict(files) for files in mixes.values() if _name(files) not in whole}
    if not whole:
        told = ", ".join(f"{variant.name} ({variant.graph})" for variant in bundle.manifest.variants)
        raise ValueError(
            f"{bundle.path.name} has no engine and precision in which all of {', '.join(graphs)} are "
            f"exported ({told}); export all graphs for one engine in one precision, or name one for each: "
            "--variant GRAPH=ENGINE-PRECISION,..."
        )
    entries, variants = [], []
    for name, files in whole.items():
        first = files[graphs[0]]
        entries.append(_entry(bundle, flow, name.removeprefix(WHOLE), files))
        variants.append(Variant(name, first.engine, first.precision, entries[-1].path, graph=task.name))
    return FlowBundle(
        bundle.path,
        replace(bundle.manifest, variants=tuple(variants), files=(*bundle.manifest.files, *entries)),
        task=msgspec.structs.replace(task, flow=flow),
        plain=bundle,
        files=whole,
        asked={name: _name(files) for name, files in mixes.items()},
    )


def is_whole(name: str) -> bool:
    """Return whether a variant that is called so is a whole flow, not one graph's file."""
    return name.startswith(WHOLE) or "=" in name


def names_in(bundle: Bundle, names: Iterable[str]) -> list[str]:
    """Return the names of the bundle's variants that are asked for by ``names``; see ``as_frames``."""
    asked = bundle.asked if isinstance(bundle, FlowBundle) else {}
    return [asked.get(name, name) for name in names]


def sha256_of(bundle: Bundle, name: str) -> str | None:
    """Return the hash that stands for a variant, one file or a whole flow; ``None``: there is none such."""
    try:
        seen = as_frames(bundle, [name])
        (known,) = names_in(seen, [name])
        return seen.sha256(seen.manifest.variant(known).path)
    except ValueError:
        return None


def files_of(bundle: Bundle, flow: Flow, name: str | None = None) -> Mapping[str, Variant]:
    """Return a variant per graph of the flow.

    Args:
        name: of a whole flow's variant, or names of ``runtime.flow.variants`` joined by commas; default:
            engine and precision of the bundle's first variant that belongs to the flow.

    Raises:
        ValueError: no such variant, or names that do not fit together.
    """
    if name is None:
        return choose_variants(bundle.manifest, flow)
    if "=" not in name and isinstance(whole := as_frames(bundle, [name]), FlowBundle):
        return whole.files[whole.manifest.variant(name).name]
    return choose_variants(bundle.manifest, flow, name.removeprefix(WHOLE).split(","))


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


def _name(files: Mapping[str, Variant]) -> str:
    """Return how the flow that runs ``files`` is called."""
    kinds = {graph: kind_of(variant) for graph, variant in files.items()}
    if len(set(kinds.values())) == 1:
        return WHOLE + next(iter(kinds.values()))
    return WHOLE + ",".join(f"{graph}={kind}" for graph, kind in kinds.items())


def _entry(bundle: Bundle, flow: Flow, kind: str, files: Mapping[str, Variant]) -> FileEntry:
    hashes = {graph: bundle.sha256(variant.path) for graph, variant in files.items()}
    said = msgspec.json.encode((flow, sorted(hashes.items())))
    return FileEntry(f"flow/{kind}", hashlib.sha256(said).hexdigest(), 0, "model")
