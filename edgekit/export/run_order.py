"""Put a workload's ops in the order in which the lowered program runs them.

A delegate runs all ops of its partition in one go: with side branches, that is another order
than the traced program's. A profile is matched with the workload by order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from edgekit.export.workload import op_kind
from runtime.bundle.workload import Workload

# Kinds that one and the same op may have before and after lowering.
_ALIKE = {"depthwise_conv2d": "conv2d", "linear": "matmul"}


def in_run_order(workload: Workload, runs: Sequence[tuple[str, str]]) -> Workload:
    """Return ``workload`` with its ops in the order of ``runs``.

    Args:
        workload: of the traced program.
        runs: module path and name of the ATen op (without overload) of each op that runs, in order.
    """
    planned: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, op in enumerate(workload.ops):
        planned[op.name, _ALIKE.get(op.kind, op.kind)].append(place)
    seen: dict[tuple[str, str], list[int]] = defaultdict(list)
    for when, (path, name) in enumerate(runs):
        kind = op_kind(name)
        seen[path, _ALIKE.get(kind, kind)].append(when)
    turn: dict[int, int] = {}
    for which, places in planned.items():
        if len(seen[which]) == len(places):  # else some were fused or split: nobody knows which is which
            turn.update(zip(places, seen[which], strict=True))
    keys, latest = [], -1
    for place in range(len(workload.ops)):
        latest = turn.get(place, latest)  # an op that was not found stays behind the one before it
        keys.append(latest)
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return Workload(tuple(workload.ops[place] for place in order))
