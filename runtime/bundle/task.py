"""What a bundle is for: its flow and its result; also of a bundle that was made before it could say so."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runtime.bundle.flow import Flow, FlowGraph
from runtime.bundle.prestep import PRE_STEPS, ResizeCrop
from runtime.bundle.result import RESULTS, Labels, Result
from runtime.bundle.tensors import MAIN_GRAPH, Graph


class TaskSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The task of a bundle, as data.

    Attributes:
        name: of the task, such as ``classification``.
        flow: from what the user gives to tensors.
        result: what these mean.
        metric: that grows as the model improves; empty where the task has none.
    """

    name: str
    flow: Flow
    result: Result
    metric: str = ""


def implied_task(graphs: Mapping[str, Graph], has_labels: bool) -> TaskSpec | None:
    """Return the task of a bundle that names none: of a classifier; ``None`` for what is no classifier.

    Args:
        has_labels: whether the bundle names its classes.
    """
    graph = graphs.get(MAIN_GRAPH)
    if graph is None or not graph.inputs or not graph.outputs:
        return None
    is_picture = len(graph.inputs) == 1 and graph.inputs[0].image is not None
    shape = graph.outputs[0].shape
    if len(shape) != 2 or shape[0] != 1 or not (has_labels or is_picture):
        return None
    sources = {one.name: "pre:image" if is_picture else f"file:{one.name}" for one in graph.inputs}
    flow = Flow((FlowGraph(MAIN_GRAPH, inputs=sources),), pre=ResizeCrop() if is_picture else None)
    return TaskSpec("classification", flow, Labels(f"{MAIN_GRAPH}.{graph.outputs[0].name}"))


def unknown_step(raw: object) -> str | None:
    """Return what is wrong with the steps that a task read from JSON names, before its schema is looked at.

    msgspec says only that a name is invalid; a user also needs those that are allowed.
    """
    if not isinstance(raw, dict):
        return None
    flow = raw.get("flow")
    pre = flow.get("pre") if isinstance(flow, dict) else None
    for what, step, known in (("pre-step", pre, PRE_STEPS), ("result", raw.get("result"), RESULTS)):
        name = step.get("name") if isinstance(step, dict) else None
        if isinstance(name, str) and name not in known:
            return f"{what} {name!r} is unknown; allowed: {', '.join(known)}"
    return None
