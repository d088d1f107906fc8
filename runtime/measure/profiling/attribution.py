"""Give each op that a profiler saw its kind, its module and its cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runtime.bundle import FallbackOp
from runtime.bundle.workload import Op
from runtime.engines import OpEvent
from runtime.engines.tflite_kinds import kind_by_name
from runtime.measure.profiling.op_matching import kind_of, match_ops

_ALIASES = {"et_view": "view_copy"}  # ExecuTorch runs a view as a primitive of its own


@dataclass(frozen=True)
class Attributed:
    """What is known of one op; ``None``: neither the file nor the bundle says.

    ``place`` is that of the op among those of the workload.
    """

    kind: str
    module_path: str | None = None
    macs: int | None = None
    bytes_moved: int | None = None
    place: int | None = None


def attribute(
    events: Sequence[OpEvent],
    ops: Sequence[Op],
    indices: Sequence[int] = (),
    partitions: Sequence[Sequence[int]] = (),
    fallback: Sequence[FallbackOp] = (),
) -> list[Attributed]:
    """Return what is known of each of ``events``.

    Args:
        events: of one frame.
        ops: of the workload.
        indices: place of each of ``ops`` in the file; empty where the file has no such order.
        partitions: places of the ops that each delegate call runs.
        fallback: ops that were left outside at export.
    """
    by_index = dict(zip(indices, ops, strict=True)) if len(indices) == len(ops) else {}
    known = _outside_by_index(events, by_index) or _outside_by_name(events, ops, fallback)
    left = [op for op in ops if not any(op is found for found, _ in known.values())]
    calls: dict[int, list[int]] = defaultdict(list)
    for place, event in enumerate(events):
        if event.delegate is not None:
            calls[event.delegate].append(place)
    if by_index and len(partitions) == len(calls):
        groups = [
            (places, [by_index[i] for i in partitions[call] if i in by_index])
            for call, places in sorted(calls.items())
        ]
    else:
        groups = [([place for _, places in sorted(calls.items()) for place in places], left)]
    places_of = {id(op): place for place, op in enumerate(ops)}
    result = [Attributed(kind_of(event.name) if event.delegate is not None else "other") for event in events]
    for place, (op, path) in known.items():
        result[place] = _attributed(op, "other", places_of) if op else Attributed("other", path)
    for places, candidates in groups:
        kinds = [result[place].kind for place in places]
        for place, kind, op in zip(places, kinds, match_ops(kinds, candidates), strict=True):
            if op is not None:
                result[place] = _attributed(op, kind, places_of)
    return result


def with_bodies(
    events: Sequence[OpEvent], of_main: Sequence[Attributed], graphs: Sequence[str]
) -> list[Attributed]:
    """Return what is known of all ``events``: ``of_main`` of the main graph, the name of another one's graph.

    Tables of operations hold the main graph only, not what its control flow runs.
    """
    main = iter(of_main)
    return [next(main) if event.subgraph == 0 else _of_body(event, graphs) for event in events]


def _of_body(event: OpEvent, graphs: Sequence[str]) -> Attributed:
    kind = kind_by_name(event.name) if event.delegate is None else kind_of(event.name)
    return Attributed(kind, f"in {graphs[event.subgraph]}")


def pair_fallback(names: Sequence[str], fallback: Sequence[FallbackOp]) -> list[int | None]:
    """Return for each op that ran outside, by its name, which of ``fallback`` it is.

    Both are in the order of the graph: the second ``cumsum`` that ran is the second in the list.
    """
    waiting: dict[str, list[int]] = defaultdict(list)
    for place, op in enumerate(fallback):
        waiting[_base(op.op)].append(place)
    return [waiting[_base(name)].pop(0) if waiting.get(_base(name)) else None for name in names]


def _outside_by_index(events: Iterable[OpEvent], by_index: dict[int, Op]) -> dict[int, tuple[Op | None, str]]:
    return {
        place: (by_index[event.op_index], by_index[event.op_index].name)
        for place, event in enumerate(events)
        if event.op_index is not None and event.op_index in by_index
    }


def _outside_by_name(
    events: Sequence[OpEvent], ops: Sequence[Op], fallback: Sequence[FallbackOp]
) -> dict[int, tuple[Op | None, str]]:
    places = [place for place, event in enumerate(events) if event.delegate is None]
    known: dict[int, tuple[Op | None, str]] = {}
    for place, found in zip(places, pair_fallback([events[p].name for p in places], fallback), strict=True):
        if found is not None:
            path = fallback[found].module_path
            same = [op for op in ops if op.name == path]
            same = [op for op in same if op.kind == "other"] or same  # what no delegate knows is mostly that
            known[place] = (same[0] if len(same) == 1 else None, path)
    return known


def _attributed(op: Op, kind: str, places_of: Mapping[int, int]) -> Attributed:
    kind = op.kind if kind == "other" else kind
    return Attributed(kind, op.name, op.macs, op.bytes_read + op.bytes_written, places_of.get(id(op)))


def _base(name: str) -> str:
    """Return ``cumsum`` for ``aten.cumsum.default`` and ``cumsum.out``; LiteRT's names have no such parts."""
    parts = name.replace("::", ".").split(".")
    base = parts[-2] if len(parts) > 1 else name
    return _ALIASES.get(base, base)
