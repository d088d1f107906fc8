"""Which records of a bundle may be learnt from, and what a predictor gets to know of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from runtime.bundle import Bundle
from runtime.choose.fitting.features import features
from runtime.choose.policy.estimate import Option
from runtime.device.setting import Setting
from runtime.device.soc import SocProfile
from runtime.errors import BundleError
from runtime.measure.origin import check_one_machine, newest_blocks, newest_versions, of_known_machine
from runtime.measure.records import Record

OLDER_VERSIONS = "older kernel or engine"

if TYPE_CHECKING:
    from runtime.targets import Target


def usable_records(
    bundle: Bundle, target: str, records: Iterable[Record], include_unstable: bool = False
) -> tuple[list[Record], dict[str, int]]:
    """Return the records of this bundle's files on ``target``, and how many were left out by reason.

    They are of one machine: those that name none are left out where others do. Of a machine whose
    kernel or engine was upgraded they are of the versions used last, of each block the last one.

    Raises:
        DataError: two machines made them.
    """
    hashes = {entry.path: entry.sha256 for entry in bundle.manifest.files}
    current = {variant.name: hashes[variant.path] for variant in bundle.manifest.variants}
    kept: list[Record] = []
    left_out = dict.fromkeys(("other target", "other model file", "paced frames"), 0)
    for record in records:
        if record.target != target:
            left_out["other target"] += 1
        elif current.get(record.variant) != record.model_sha256:
            left_out["other model file"] += 1
        elif record.fps_target is not None:
            left_out["paced frames"] += 1  # waiting cools caches and clocks: another latency altogether
        else:
            kept.append(record)
    check_one_machine(kept)
    for reason, choose in (
        ("of a machine that they do not name", of_known_machine),
        (OLDER_VERSIONS, newest_versions),
        ("unstable", lambda records: [r for r in records if include_unstable or r.is_trusted]),
        ("measured again since", newest_blocks),
    ):
        before, kept = len(kept), choose(kept)
        left_out[reason] = before - len(kept)
    return kept, {reason: count for reason, count in left_out.items() if count}


def benched_options(bundle: Bundle, target: Target, records: Sequence[Record]) -> dict[Option, Record]:
    """Return one record per option with the samples of all its runs; unstable if any of them was."""
    pooled: dict[Option, Record] = {}
    for record in usable_records(bundle, target.name, records, include_unstable=True)[0]:
        option = Option(record.variant, record.setting)
        if option in pooled:
            before = pooled[option]
            verdict = before.verdict if record.is_trusted else record.verdict
            record = replace(record, samples_ms=before.samples_ms + record.samples_ms, verdict=verdict)
        pooled[option] = record
    return pooled


def ran_at(record: Record) -> Setting:
    """Return the setting the machine says it ran at, or the one asked where it cannot say."""
    read = record.setting_read
    return record.setting if read is None or read.freq_khz is None else read


def features_of(
    bundle: Bundle, profile: SocProfile, variant_name: str, setting: Setting, with_costs: bool = False
) -> np.ndarray:
    """Return the features of a variant of the bundle under ``setting``.

    Args:
        with_costs: append what adds up to a latency; see ``runtime.choose.fitting.features``.

    Raises:
        BundleError: the bundle does not say what a frame of the variant costs.
    """
    variant = bundle.manifest.variant(variant_name)
    workload = bundle.workload(variant)
    if workload is None:
        raise BundleError(f"{bundle.path.name} has no workload table for {variant_name}; export it again")
    return features(workload, profile, setting, variant.precision, variant.engine, with_costs)
