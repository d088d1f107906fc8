"""What a bundle's exported files score on a dataset, by their task's own metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from edgekit.data import Split, load_dataset
from edgekit.export.quantize.data import evenly
from edgekit.tasks import StoredTask, Task, task_of
from runtime.bundle import Bundle, ImageSpec, Variant
from runtime.bundle.decoding import why
from runtime.errors import BundleError, DataError
from runtime.flow.sessions import GraphSessions, open_graphs
from runtime.govern.run.run import kernel_setting
from runtime.targets import Target

_BATCH = 64  # examples whose outputs are held at a time: a parser's are large
_FLOAT = "fp32"


@dataclass(frozen=True)
class FileScore:
    """What a variant scores.

    Attributes:
        dataset: whose test examples it is scored on; ``n_examples`` of them.
        metric: of the task; more is better.
        drop: how much more the float file of the same engine scores; ``None`` where there is none.
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
        ValueError: no such variant or dataset, no data named, a bundle without a task or of several graphs.
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
    chosen = [manifest.variant(name) for name in variants] or list(manifest.variants)
    name = data or manifest.source.get("dataset")
    if not isinstance(name, str):
        raise ValueError(f"{bundle.path.name} does not say what it was trained on; name data with --data")
    if limit < 0:
        raise ValueError(f"limit is {limit}; it must be 0 or more")
    task = _task_in(bundle)
    split = _test_split(bundle, task, name, root)
    kept = evenly(len(split), limit or len(split))
    scores: list[FileScore] = []
    for variant in chosen:
        progress(f"{variant.name}: scoring on {len(kept)} examples of {name}")
        with open_graphs(bundle, target, kernel_setting(target), {variant.graph: variant}) as graphs:
            score = _score(graphs, variant, task, split, kept)
        facts = (variant.name, variant.engine, variant.precision, name, len(kept), task.metric)
        scores.append(FileScore(*facts, score))
    exact = {one.engine: one.score for one in scores if one.precision == _FLOAT}
    return [
        replace(one, drop=exact[one.engine] - one.score)
        if one.precision != _FLOAT and one.engine in exact
        else one
        for one in scores
    ]


def _score(
    graphs: GraphSessions, variant: Variant, task: Task, split: Split, kept: np.ndarray
) -> float:  # fmt: skip
    results: list[object] = []
    for start in range(0, len(kept), _BATCH):
        part = kept[start : start + _BATCH]
        inputs, _ = split.batch(part)
        outputs = [graphs.run(variant.graph, [inputs[i : i + 1]]) for i in range(len(part))]
        joined = [np.concatenate(arrays) for arrays in zip(*outputs, strict=True)]
        results.extend(task.decode(joined, split.labels[part]))
    return task.score(results, list(split.labels[kept]))


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
    image = _image_of(bundle)
    dataset = task.view(load_dataset(name, root=root, image_size=image.size))
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


def _image_of(bundle: Bundle) -> ImageSpec:
    graphs = bundle.manifest.graphs.values()
    inputs = [spec for graph in graphs for spec in graph.inputs]
    if len(graphs) != 1 or len(inputs) != 1 or inputs[0].image is None:
        raise ValueError(
            f"{bundle.path.name} runs {len(graphs)} graphs with {len(inputs)} inputs; only files that take "
            "one picture are scored by this command yet"
        )
    return inputs[0].image
