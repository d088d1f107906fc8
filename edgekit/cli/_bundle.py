"""How a bundle's contents are printed: shared by the commands that make one and that show one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from edgekit.cli._output import print_table, say
from edgekit.cli._parity import agreement
from runtime.bundle import Bundle, FallbackOp, Graph, Quantization, TaskSpec, TensorSpec
from runtime.bundle.metric_words import word_for
from runtime.bundle.result import step_name
from runtime.visible import one_line

_HARDLY = 0.05  # less than this of the multiply-accumulates is no int8 file
_SHOWN = 8
_SLOWER = 1.1  # times fp32's latency: less may be chance


def print_task(task: TaskSpec | None) -> None:
    """Print what the bundle is for, where it says so: from the pre-step through each graph to the result."""
    if task is None:
        return
    pre = [] if task.flow.pre is None else [step_name(task.flow.pre)]
    metric = f", scored by {task.metric}" if task.metric else ""
    way = [*pre, *(use.name for use in task.flow.graphs), step_name(task.result)]
    say(one_line(f"task: {task.name}{metric}: {' -> '.join(way)}"))
    for use in task.flow.graphs:
        often = f"every {use.every} steps" if use.every > 1 else f"once per {use.when}"
        inputs = ", ".join(f"{name} from {source}" for name, source in use.inputs.items())
        drawn = f"; token {use.token.name} drawn from {use.token.scores}" if use.token is not None else ""
        say(f"  {one_line(f'{use.name} {often}: {inputs}{drawn}')}")


def print_variants(bundle: Bundle) -> None:
    """Print a line per variant: file, delegation, parity."""
    sizes = {entry.path: entry.size_bytes for entry in bundle.manifest.files}
    rows: list[tuple[object, ...]] = []
    for variant in bundle.manifest.variants:
        delegation, parity = variant.delegation, variant.parity
        rows.append(
            (
                variant.name,
                variant.path,
                f"{sizes[variant.path] / 1e6:.2f}",
                f"{delegation.delegated}/{delegation.total} in {delegation.partitions}"
                if delegation
                else None,
                f"{parity.max_abs:.1e} <= {parity.tolerance:.1e}" if parity else None,
                parity.sqnr_db if parity else None,
                agreement(parity) if parity else None,
            )
        )
    headers = ["variant", "file", "MB", "ops in delegates", "max error", "SQNR dB", "agreement"]
    if not any(variant.parity for variant in bundle.manifest.variants):  # a bare model file
        headers, rows = headers[:4], [row[:4] for row in rows]
    print_table(headers, rows, optional=("agreement", "SQNR dB", "MB", "max error"))
    for variant in bundle.manifest.variants:
        if variant.delegation and variant.delegation.fallback:
            say(f"\noutside the delegate of {one_line(variant.name)}:")
            print_fallback(variant.delegation.fallback)

    for variant in bundle.manifest.variants:
        if variant.quantization is not None:
            say(f"\n{one_line(variant.name)}: {one_line(_quantised(variant.quantization))}")


def _quantised(record: Quantization) -> str:
    parts = []
    if record.accuracy is not None and record.accuracy_fp32 is not None:
        scored = f"{word_for(record.metric)} {record.accuracy:.2%} on {record.n_validation} inputs"
        parts.append(f"{scored}, fp32 {record.accuracy_fp32:.2%}")
    if record.calibration is not None:
        parts.append(f"calibrated on {record.n_calibration} frames ({record.calibration})")
    if record.heads:
        parts.append(f"float scores from {', '.join(record.heads)}")
    if record.int8_share is None:
        parts.append(f"in float: {', '.join(record.kept_float) or 'nothing else'}")
    else:
        parts.append(f"{_int8_part(record)}; other modules kept float: {_some(record.kept_float)}")
    if record.latency_ratio is not None and record.latency_ratio > _SLOWER:
        parts.append(f"SLOWER than fp32 where it was exported, {record.latency_ratio:.2f} times the latency")
    return "; ".join(parts)


def _int8_part(record: Quantization) -> str:
    """Return how much of the file is int8, from the file itself."""
    assert record.int8_share is not None
    layers = f"layers in float: {_some(record.float_layers)}"
    if record.int8_share < _HARDLY:
        return f"WARNING: int8 by name only, {record.int8_share:.0%} of the work of layers is int8; {layers}"
    return f"{record.int8_share:.0%} of the work of layers in int8; {layers}"


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_SHOWN]) + f", ... {len(names)} in all" * (len(names) > _SHOWN) or "none"


def print_fallback(fallback: tuple[FallbackOp, ...]) -> None:
    """Print every op that runs outside a delegate, with where it comes from and why."""
    rows = [
        (op.op, op.module_path, _percent(op.latency_share), op.reason, "yes" if op.allowed else "no")
        for op in fallback
    ]
    print_table(["op", "module", "share of a frame", "reason", "allowed"], rows)


def print_graph(graph: Graph, shape: Callable[[TensorSpec], str]) -> None:
    """Print inputs and outputs; ``shape`` shows those of each."""
    sides = [("in", spec) for spec in graph.inputs] + [("out", spec) for spec in graph.outputs]
    rows = [(side, spec.name, spec.dtype, shape(spec)) for side, spec in sides]
    print_table(["", "name", "dtype", "shape"], rows)
    for spec in graph.inputs:
        if spec.image is not None:
            image = spec.image
            say(
                f"{one_line(spec.name)}: photograph, shorter side to {image.resize} px "
                f"({image.interpolation}), centre {image.size} px, "
                f"mean {_short(image.mean)}, std {_short(image.std)}"
            )


def print_workload(bundle: Bundle) -> None:
    """Print what one frame costs by kind of op, for the first variant of each graph that tells."""
    shown = set()
    for variant in bundle.manifest.variants:
        workload = bundle.workload(variant)
        if workload is None or variant.graph in shown:
            continue
        shown.add(variant.graph)
        counts, macs, moved = Counter[str](), Counter[str](), Counter[str]()
        for op in workload.ops:
            counts[op.kind] += 1
            macs[op.kind] += op.macs
            moved[op.kind] += op.bytes_read + op.bytes_written
        rows = [(kind, counts[kind], n / 1e6, moved[kind] / 1e6) for kind, n in macs.most_common()]
        rows.append(("all", counts.total(), macs.total() / 1e6, moved.total() / 1e6))
        say(f"\none frame of {one_line(variant.name)}:")
        print_table(["kind of op", "ops", "M MAC", "MB moved"], rows)


def _short(values: tuple[float, ...]) -> str:
    return "/".join(f"{value:.3g}" for value in values)


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.1%}"
