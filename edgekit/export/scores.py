"""What a bundle's exported files score on a dataset, by their task's own metric.

A flow of one pass is run on every example; one that makes steps is given what it should draw, and scored by
what it would have drawn from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from edgekit.data import Split, load_dataset
from edgekit.export.quantize.data import evenly
from edgekit.tasks import StoredTask, Task, task_of
from runtime.bundle import Bundle, Manifest, Variant
from runtime.bundle.decoding import why
from runtime.errors import BundleError, DataError
from runtime.flow.frames import FlowBundle, as_frames, is_whole, names_in
from runtime.flow.given import wanted
from runtime.flow.runner import FlowRunner
from runtime.flow.sessions import GraphSessions, open_graphs
from runtime.govern.run.run import kernel_setting
from runtime.targets import Target

_BATCH = 64  # examples whose outputs are held at a time: a parser's are large
_FLOAT = "fp32"


@dataclass(frozen=True)
class FileScore:
    """What a variant scores: a file, or of a flow of several graphs or of steps all its files together.

    Attributes:
        dataset: whose test examples it is scored on; ``n_examples`` of them.
        metric: of the task; more is better.
        drop: how much more the float variant of the same engine scores; ``None`` where there is none.
    """

    variant: str
    engine: str
    precision: str
    dataset: str
    n_examples: int
    metric: str
    score: float
    drop: float | None = None


def score_bundle(
    bundle: Bundle,
    data: str | None,
    target: Target,
    *,
    root: str | Path | None = None,
    variants: Sequence[str] = (),
    limit: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> list[FileScore]:
    """Return what the files of ``bundle`` score on the test examples of a dataset.

    Args:
        data: its name; ``None``: what the bundle's checkpoint was trained on.
        target: that runs the files.
        root: where the dataset's files are.
        variants: names; default: all.
        limit: score on so many examples, taken evenly; 0: on all.
        progress: called before each file.

    Raises:
        ValueError: no such variant or dataset, no data named, a bundle without a task, or one graph's file of
            a flow of several.
        DataError: the dataset is not what the task is scored on, or cannot be read.
        BundleError: the bundle does not tell its task.
        DeviceError: a file cannot run on ``target``.

    Example:
        >>> opened = Bundle.open("digits.edgekit")                          # doctest: +SKIP
        >>> score_bundle(opened, None, open_target("local"))[0].score       # doctest: +SKIP
        0.972
    """
    manifest = bundle.manifest
    if target.is_modelled:
        raise ValueError(f"{target.name} has no results of its own; score on local, or on a device")
    name = data or manifest.source.get("dataset")
    if not isinstance(name, str):
        raise ValueError(f"{bundle.path.name} does not say what it was trained on; name data with --data")
    if limit < 0:
        raise ValueError(f"limit is {limit}; it must be 0 or more")
    task = _task_in(bundle)
    chosen = _chosen(bundle, variants)
    split = _test_split(bundle, task, name, root)
    kept = evenly(len(split), limit or len(split))
    scores: list[FileScore] = []
    for variant, files in chosen:
        progress(f"{variant.name}: scoring on {len(kept)} examples of {name}")
        with open_graphs(bundle, target, kernel_setting(target), files) as graphs:
            results = _flow_results if _is_flow(bundle) else _results
            score = task.score(results(bundle, graphs, task, split, kept), list(split.labels[kept]))
        facts = (variant.name, variant.engine, variant.precision, name, len(kept), task.metric)
        scores.append(FileScore(*facts, score))
    exact = {one.engine: one.score for one in scores if one.precision == _FLOAT and "=" not in one.variant}
    return [
        replace(one, drop=exact[one.engine] - one.score)
        if one.precision != _FLOAT and one.engine in exact and "=" not in one.variant
        else one
        for one in scores
    ]


def _is_flow(bundle: Bundle) -> bool:
    """Return whether a result takes more than one pass of one graph."""
    task = bundle.manifest.task_or_implied
    return task is not None and (len(task.flow.graphs) > 1 or task.flow.stop is not None)


def _chosen(bundle: Bundle, names: Sequence[str]) -> list[tuple[Variant, Mapping[str, Variant]]]:
    """Return the variants to score, each with the file of every graph."""
    manifest, task = bundle.manifest, bundle.manifest.task_or_implied
    if task is not None and (_is_flow(bundle) or any(map(is_whole, names))):
        frames = as_frames(bundle, names)
        if not isinstance(frames, FlowBundle):
            raise ValueError(
                f"{', '.join(names)} names a file of one graph, and {task.name} is scored on its whole flow; "
                f"choose from {', '.join(one.name for one in as_frames(bundle).manifest.variants)}"
            )
        manifest, names = frames.manifest, names_in(frames, names)
        return [(one, frames.files[one.name]) for one in _named(manifest, names)]
    return [(one, {one.graph: one}) for one in _named(manifest, names)]


def _named(manifest: Manifest, names: Sequence[str]) -> list[Variant]:
    return [manifest.variant(name) for name in names] or list(manifest.variants)


def _results(
    bundle: Bundle, graphs: GraphSessions, task: Task, split: Split, kept: np.ndarray
) -> list[object]:
    """Return the results of one graph, each of its examples one pass."""
    (graph,) = graphs.sessions
    results: list[object] = []
    for start in range(0, len(kept), _BATCH):
        part = kept[start : start + _BATCH]
        inputs, _ = split.batch(part)
        outputs = [graphs.run(graph, [inputs[i : i + 1]]) for i in range(len(part))]
        joined = [np.concatenate(arrays) for arrays in zip(*outputs, strict=True)]
        results.extend(task.decode(joined, split.labels[part]))
    return results


def _flow_results(
    bundle: Bundle, graphs: GraphSessions, task: Task, split: Split, kept: np.ndarray
) -> list[object]:
    """Return the results of a whole flow, whose steps draw what the task says of each example."""
    manifest = bundle.manifest
    flow = manifest.task_or_implied.flow
    needs = wanted(flow, manifest.graphs)
    last = flow.graphs[-1].name
    runner = FlowRunner(flow, manifest.graphs, graphs.run)
    results: list[object] = []
    for index in kept:
        inputs, targets = split.batch([index])
        named = inputs if isinstance(inputs, Mapping) else dict.fromkeys(map(_plain, needs), inputs)
        forced = task.draws(targets[0]) or None
        if flow.tokens and forced is None:
            raise ValueError(
                f"{task.name} does not say what its steps are to draw, so none can be scored; give it draws()"
            )
        runner.reset()  # another example, another video
        frame = runner.frame({text: named[_plain(text)] for text in needs}, forced=forced)
        outputs = [frame.scores[token.name][None] for token in flow.tokens] or [
            frame.outputs[f"{last}.{spec.name}"] for spec in manifest.graphs[last].outputs
        ]
        results.extend(task.decode(outputs, targets))
    return results


def _plain(text: str) -> str:
    return text.partition(":")[2]


def _task_in(bundle: Bundle) -> Task:
    """Return the task with the options that the bundle's flow was made with."""
    told = bundle.manifest.task
    if bundle.manifest.task_or_implied is None:
        raise ValueError(
            f"nothing says what the outputs of {bundle.path.name} mean; export a checkpoint, or a model with "
            "labels"
        )
    plain = bundle.manifest.source.get("task", told and {"name": told.name})
    try:
        task = task_of(msgspec.convert(plain, StoredTask | None))
        own = task.result(tuple(bundle.labels() or ()))
    except (msgspec.ValidationError, ValueError) as err:
        raise BundleError(
            f"{bundle.path.name} is for a task that is not known here ({why(err)}); install its package"
        ) from err
    if told is not None and (own is None or own.flow != told.flow):
        raise BundleError(
            f"the flow in {bundle.path.name} is not that of its task {task.name!r} with the options it "
            "names; export its checkpoint again"
        )
    return task


def _test_split(bundle: Bundle, task: Task, name: str, root: str | Path | None) -> Split:
    """Return the test examples as the bundle's files take them."""
    specs = [spec for graph in bundle.manifest.graphs.values() for spec in graph.inputs]
    image = next((spec.image for spec in specs if spec.image is not None), None)
    dataset = task.view(load_dataset(name, root=root, image_size=None if image is None else image.size))
    if image is None or dataset.image is None:
        if image is not dataset.image:
            raise DataError(
                f"{bundle.path.name} takes {'no' if image is None else 'only'} pictures, and {name} holds "
                f"{'none' if dataset.image is None else 'some'}; choose other data"
            )
        return dataset.test
    if dataset.image.channels != image.channels:
        raise DataError(
            f"{name} has {dataset.image.channels} colour channels, the files take {image.channels}; choose "
            "other data"
        )
    return replace(dataset.test, labels=_in_order(bundle, dataset.labels, dataset.test, name), image=image)


def _in_order(bundle: Bundle, names: Sequence[str], split: Split, dataset: str) -> np.ndarray:
    """Return the labels of ``split`` as the bundle numbers its classes."""
    own = bundle.labels()
    if own is None or own == list(names):
        return split.labels
    missing = [name for name in names if name not in own]
    if missing or split.labels.ndim > 1 or split.labels.dtype.names is not None:
        unknown = ", ".join(map(repr, missing[:3])) or "its classes in another order"
        raise DataError(
            f"{dataset} has {unknown}, and {bundle.path.name} knows {', '.join(own[:3])}, ...; choose data "
            "of its classes"
        )
    return np.asarray([own.index(name) for name in names])[split.labels]
