"""What a lab found: for each target, bundle and variant the best setting and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.device.setting import Setting
from runtime.measure.bench import BenchRow, summarise
from runtime.measure.lab.executor import LabRecords
from runtime.measure.lab.jobs import DONE, LabJob
from runtime.measure.lab.schedule import Status
from runtime.measure.origin import newest_blocks
from runtime.measure.records import Record


@dataclass(frozen=True)
class SummaryRow:
    """One variant of one bundle on one target.

    Attributes:
        setting: the best one, ``None`` while nothing is measured.
        chosen_by: ``least mJ``, or ``least ms`` where no energy is known; names a goal that was missed.
        n_settings, n_unstable: settings measured, and those of them that are unstable.
        n_done, n_jobs: jobs (blocks) finished and in all.
        note: why jobs were set aside or failed.
    """

    target: str
    bundle: str
    variant: str
    setting: Setting | None
    chosen_by: str
    latency_ms: float | None
    energy_mj: float | None
    energy_kind: str | None
    provenance: str | None
    verdict: str | None
    n_settings: int
    n_unstable: int
    n_done: int
    n_jobs: int
    note: str


def summarise_lab(
    jobs: Sequence[LabJob],
    status: dict[tuple[str, str, str, int], Status],
    hashes: dict[tuple[str, str], str],
    records: LabRecords,
    goal_fps: float | None = None,
) -> list[SummaryRow]:
    """Return a row per target, bundle and variant, in the order of the jobs.

    Args:
        hashes: sha256 of the model file by (bundle, variant): which records are whose.
    """
    groups: dict[tuple[str, str, str], list[LabJob]] = {}
    for job in jobs:
        groups.setdefault((job.target, job.bundle, job.variant), []).append(job)
    logs = {target: list(records.log(target)) for target in dict.fromkeys(job.target for job in jobs)}
    return [
        _row(
            key,
            [record for record in newest_blocks(logs[key[0]]) if _is_of(record, key, hashes)],
            [status[job.key] for job in group],
            goal_fps,
        )
        for key, group in groups.items()
    ]


def _is_of(record: Record, key: tuple[str, str, str], hashes: dict[tuple[str, str], str]) -> bool:
    target, bundle, variant = key
    sha256 = hashes.get((bundle, variant))
    return (record.target, record.variant, record.model_sha256) == (target, variant, sha256)


def _row(
    key: tuple[str, str, str], records: Sequence[Record], statuses: Sequence[Status], goal_fps: float | None
) -> SummaryRow:
    target, bundle, variant = key
    rows = summarise(records)
    best, chosen_by = choose_best(rows, goal_fps)
    return SummaryRow(
        target=target,
        bundle=Path(bundle).name,
        variant=variant,
        setting=None if best is None else best.setting,
        chosen_by=chosen_by,
        latency_ms=None if best is None else best.latency_ms,
        energy_mj=None if best is None else best.energy_mj,
        energy_kind=None if best is None else best.energy_kind,
        provenance=None if best is None else best.provenance,
        verdict=None if best is None else best.verdict,
        n_settings=len(rows),
        n_unstable=sum(row.verdict == "unstable" for row in rows),
        n_done=sum(one.state == DONE for one in statuses),
        n_jobs=len(statuses),
        note="; ".join(
            dict.fromkeys(
                f"{one.state}: {one.reason}" for one in statuses if one.state != DONE and one.reason
            )
        ),
    )


def choose_best(rows: Sequence[BenchRow], goal_fps: float | None) -> tuple[BenchRow | None, str]:
    """Return the cheapest stable setting that is fast enough, and how it was chosen.

    Unstable settings are looked at only where no stable one is left.
    """
    if not rows:
        return None, ""
    candidates = [row for row in rows if row.verdict != "unstable"] or list(rows)
    fast = [row for row in candidates if goal_fps is None or row.fps >= goal_fps]
    if not fast:
        return min(candidates, key=lambda row: row.latency_ms), f"least ms: none reaches {goal_fps:g} fps"
    if all(row.energy_mj is not None for row in fast):
        return min(fast, key=lambda row: row.energy_mj or 0.0), "least mJ"
    return min(fast, key=lambda row: row.latency_ms), "least ms"
