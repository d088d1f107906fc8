"""How a profile is printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.cli._output import note, print_table, say
from runtime.visible import one_line

if TYPE_CHECKING:
    from runtime.bundle import Bundle
    from runtime.measure.profiling.profile import OpTime, Profile

_OPTIONAL = ("source", "kB moved", "M MAC", "delegate", "kind")


def keep_profiles(bundle: Bundle, profiles: Sequence[Profile]) -> None:
    """Keep ``profiles`` for the report of ``bundle``; a bare model file has none."""
    from runtime.engines.model_file import ModelFile
    from runtime.errors import DataError
    from runtime.measure.profiling.kept import keep_profile

    try:
        for one in () if isinstance(bundle, ModelFile) else profiles:
            keep_profile(bundle, one)
    except DataError as err:
        note(f"the report will not show this profile: {err}")


def print_profile(one: Profile, top: int | None = None) -> None:
    """Print the ops, or the slowest ``top`` of them, then the kinds of op and the sum."""
    frames = f"{one.threads} thread{'s' if one.threads > 1 else ''}, medians of {one.runs} frames"
    where = "" if one.target == "local" else f" on {one.target} ({one.provenance})"
    say(f"\n{one_line(one.variant)} on {one_line(one.version)}{where}, {frames}:")
    ops = one.ops if top is None else sorted(one.ops, key=lambda op: -op.median_ms)[:top]
    headers = ["op", "kind", "module", "delegate", "ms", "share", "M MAC", "kB moved", "source"]
    print_table(headers, [_row(op) for op in ops], optional=_OPTIONAL)
    kinds, counts = Counter[str](), Counter(op.kind for op in one.ops)
    for op in one.ops:
        kinds[op.kind] += op.median_ms
    rows = [(kind, counts[kind], ms, f"{ms / one.profiled_ms:.1%}") for kind, ms in kinds.most_common()]
    say()
    print_table(["kind of op", "ops", "ms", "share"], rows)
    say(
        f"\nops {one.ops_ms:.4g} ms of {one.profiled_ms:.4g} ms per frame under the profiler; "
        f"{one.latency_ms:.4g} ms without it"
    )
    for remark in one.remarks:
        note(remark)


def _row(op: OpTime) -> tuple[object, ...]:
    where = "outside" if op.delegate is None else str(op.delegate)
    macs = None if op.macs is None else op.macs / 1e6
    moved = None if op.bytes_moved is None else op.bytes_moved / 1e3
    return op.op, op.kind, op.module_path, where, op.median_ms, f"{op.share:.1%}", macs, moved, op.source
