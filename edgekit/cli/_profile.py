"""How a profile is printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgekit.cli._output import note, print_table, say
from edgekit.cli._progress import Steps
from runtime.visible import one_line

if TYPE_CHECKING:
    from runtime.bundle import Bundle
    from runtime.measure.profiling.flow_profile import FlowProfile, GraphProfile
    from runtime.measure.profiling.profile import OpTime, Profile

_OPTIONAL = ("source", "kB moved", "M MAC", "delegate", "kind")


def take_profiles(
    model: Bundle, engines: Sequence[str], variants: Sequence[str], plan: dict[str, Any]
) -> list[Profile | FlowProfile]:
    """Return a profile of each variant: of a flow with those of all its graphs."""
    from runtime.flow.frames import FlowBundle, as_frames
    from runtime.measure.bench import choose_variants
    from runtime.measure.profiling.flow_profile import profile_flow
    from runtime.measure.profiling.profile import profile

    seen = as_frames(model, variants)
    found: list[Profile | FlowProfile] = []
    with Steps() as steps:
        for name in choose_variants(seen, engines, variants):
            steps.wait_for(f"timing the ops of {name}, {plan['runs']} frames with and without the profiler")
            is_flow = isinstance(seen, FlowBundle)
            found.append(profile_flow(seen, name, **plan) if is_flow else profile(seen, name, **plan))
    return found


def of_graphs(found: Sequence[Profile | FlowProfile]) -> list[Profile]:
    """Return the profiles of single files among them, those within flows too."""
    from runtime.measure.profiling.flow_profile import FlowProfile

    return [
        profile
        for one in found
        for profile in ([part.profile for part in one.graphs] if isinstance(one, FlowProfile) else [one])
    ]


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


def print_found(one: Profile | FlowProfile, top: int | None = None) -> None:
    """Print the ops of a profile; of a flow those of each graph, then what the parts of a frame take."""
    from runtime.measure.profiling.flow_profile import FlowProfile

    if not isinstance(one, FlowProfile):
        print_profile(one, top)
        return
    for part in one.graphs:
        print_profile(part.profile, top, part)
    where = "" if one.target == "local" else f" on {one.target} ({one.provenance})"
    say(f"\n{one_line(one.variant)}{where}, a frame is {one.frame}:")
    shares = [one.share(part) for part in one.parts]
    rows = [
        (part.name, part.runs, part.latency_ms, None if share is None else f"{share:.1%}", part.provenance)
        for part, share in zip(one.parts, shares, strict=True)
    ]
    print_table(["part of a frame", "runs", "ms", "share", ""], rows)
    reference = "" if one.reference_ms is None else f"; the reference, once, {one.reference_ms:.4g} ms"
    say(f"\n{one.latency_ms:.4g} ms a frame without the profiler{reference}")


def print_profile(one: Profile, top: int | None = None, within: GraphProfile | None = None) -> None:
    """Print the ops, or the slowest ``top`` of them, then the kinds of op and the sum.

    Args:
        within: what the profiled graph is within a flow's frame; shares are then of that frame.
    """
    share = 1.0 if within is None else within.share
    frames = f"{one.threads} thread{'s' if one.threads > 1 else ''}, medians of {one.runs} frames"
    where = "" if one.target == "local" else f" on {one.target} ({one.provenance})"
    say(f"\n{one_line(one.variant)} on {one_line(one.version)}{where}, {frames}:")
    if within is not None:
        runs = f"{within.runs} run{'s' if within.runs > 1 else ''}"
        say(f"graph {within.graph}, {runs} a frame, {share:.1%} of it; shares are of the whole frame")
    ops = one.ops if top is None else sorted(one.ops, key=lambda op: -op.median_ms)[:top]
    headers = ["op", "kind", "module", "delegate", "ms", "share", "M MAC", "kB moved", "source"]
    print_table(headers, [_row(op, share) for op in ops], optional=_OPTIONAL)
    run = "frame" if within is None else "run"
    kinds, counts = Counter[str](), Counter(op.kind for op in one.ops)
    for op in one.ops:
        kinds[op.kind] += op.median_ms
    rows = [
        (kind, counts[kind], ms, f"{share * ms / one.profiled_ms:.1%}") for kind, ms in kinds.most_common()
    ]
    say()
    print_table(["kind of op", "ops", "ms", "share"], rows)
    say(
        f"\nops {one.ops_ms:.4g} ms of {one.profiled_ms:.4g} ms per {run} under the profiler; "
        f"{one.latency_ms:.4g} ms without it"
    )
    for remark in one.remarks:
        note(remark)


def _row(op: OpTime, share: float) -> tuple[object, ...]:
    where = "outside" if op.delegate is None else str(op.delegate)
    macs = None if op.macs is None else op.macs / 1e6
    moved = None if op.bytes_moved is None else op.bytes_moved / 1e3
    return (
        op.op,
        op.kind,
        op.module_path,
        where,
        op.median_ms,
        f"{share * op.share:.1%}",
        macs,
        moved,
        op.source,
    )
