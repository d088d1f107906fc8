"""Where ``edgekit compare`` gets its records, and how it prints what they say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._output import note, print_table
from edgekit.cli._rows import BlockSteps

if TYPE_CHECKING:
    from runtime.engines.tflite_shapes import InputShapes
    from runtime.measure.compare import Difference
    from runtime.measure.records import Record

_COLUMNS = {
    "variant": "variant", "setting": "setting", "A ms": "a_ms", "B ms": "b_ms",
    "B against A (95 %)": "change", "energy": "energy_change", "memory": "memory_change",
    "verdict": "verdict",
}  # fmt: skip


def load_or_measure(a: Path, b: Path, **given: Any) -> tuple[list[Record], list[Record]]:
    """Return the records of both sides: read if both are .jsonl files, else measured in one run."""
    is_log = [path.suffix == ".jsonl" for path in (a, b)]
    if all(is_log):
        return _load(a, given["a_variant"], given), _load(b, given["b_variant"] or given["a_variant"], given)
    if any(is_log):
        raise click.UsageError(
            f"{a} and {b}: give two bundles or model files, or two .jsonl files of records"
        )
    return _measure(a, b, **given)


def show(differences: Sequence[Difference]) -> None:
    """Print one line per difference, then why each is what it is."""
    rows = [[getattr(d, name) for name in _COLUMNS.values()] for d in differences]
    print_table(list(_COLUMNS), rows, optional=("energy", "memory"))
    for line in dict.fromkeys(line for d in differences for line in _remarks(d)):
        note(line)


def _remarks(difference: Difference) -> list[str]:
    where = f"{difference.variant} {difference.setting}"
    lines = [f"{difference.verdict}: {where}: {why}" for why in difference.reasons]
    return lines + [f"what to do: {what}" for what in difference.advice]


def _load(path: Path, variant: str | None, given: dict[str, Any]) -> list[Record]:
    from runtime.measure.records import RecordLog

    target = click.get_current_context().get_parameter_source("target")
    wanted = given["target"] if target is not None and target.name != "DEFAULT" else None
    return [
        record
        for record in RecordLog(path)
        if (variant is None or record.variant == variant)
        and (wanted is None or record.target == wanted)
        and (not given["clusters"] or record.setting.cluster in given["clusters"])
        and (not given["freqs_khz"] or record.setting.freq_khz in given["freqs_khz"])
        and (not given["threads"] or record.setting.threads in given["threads"])
    ]


def _measure(
    a: Path, b: Path, *, target: str, a_variant: str | None, b_variant: str | None, threads: tuple[int, ...],
    clusters: tuple[str, ...], freqs_khz: tuple[int, ...], input_shapes: InputShapes, out: Path | None,
    **plan: Any,
) -> tuple[list[Record], list[Record]]:  # fmt: skip
    from runtime.engines.model_file import open_bundle_or_model
    from runtime.flow.frames import FlowBundle, as_frames, names_in
    from runtime.measure.bench import BenchPlan
    from runtime.measure.compare import measure_both, shared_variants
    from runtime.measure.records import RecordLog
    from runtime.targets import choose_settings, open_target

    where = open_target(target)
    takers = [path for path in (a, b) if path.suffix == ".tflite"] or [a, b]
    sides = [open_bundle_or_model(path, input_shapes if path in takers else ()) for path in (a, b)]
    asked = [[name] if name else [] for name in (a_variant, b_variant)]
    whole = [as_frames(side, names) for side, names in zip(sides, asked, strict=True)]
    of_a, of_b = whole if all(isinstance(side, FlowBundle) for side in whole) else sides
    known = [next(iter(names_in(*one)), None) for one in zip((of_a, of_b), asked, strict=True)]
    folder = out or Path(f"{a.stem}-vs-{b.stem}")
    logs = RecordLog(folder / "a.jsonl"), RecordLog(folder / "b.jsonl")
    with BlockSteps(with_model=True) as steps:
        found = measure_both(
            of_a,
            of_b,
            where,
            variants=shared_variants(of_a, of_b, *known),
            settings=choose_settings(where, threads or (1,), clusters, freqs_khz),
            plan=BenchPlan(**plan),
            logs=logs,
            progress=steps.ended,
            on_step=steps.begins,
        )
    note(f"records: {logs[0].path} and {logs[1].path}")
    return found
