"""One line of CSV per block: flat, units in the names of the columns, empty where unknown."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from runtime.device.conditions import interference
from runtime.measure.records import Record

_PLAIN = (
    "model", "model_sha256", "variant", "engine", "precision", "target", "provenance", "control_level",
    "mode", "fps_target", "block", "seed", "run", "tries", "warmup", "load_ms", "first_frame_ms",
    "latency_ms", "iqr_ms", "p90_ms", "fps", "power_mw", "energy_mj", "energy_source", "cooled_s",
    "verdict", "created_utc",
)  # fmt: skip


def csv_table(records: Sequence[Record]) -> bytes:
    """Return the records as CSV (RFC 4180, UTF-8)."""
    rows = [flat_row(record) for record in records]
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


def flat_row(record: Record) -> dict[str, object]:
    """Return one record as a line of a table, by the names of the columns."""
    setting, read, before, after = record.setting, record.setting_read, record.before, record.after
    others = None if before is None or after is None else interference(before, after)
    return {name: getattr(record, name) for name in _PLAIN} | {
        "cluster": setting.cluster,
        "freq_khz": setting.freq_khz,
        "threads": setting.threads,
        "freq_read_khz": None if read is None else read.freq_khz,
        "freq_before_khz": None if before is None else before.freq_khz,
        "governor": None if before is None else before.governor,
        "cpus": None if before is None or before.cpus is None else " ".join(map(str, before.cpus)),
        "latency_low_ms": record.interval_ms.low,
        "latency_high_ms": record.interval_ms.high,
        "temp_start_c": None if before is None else before.temp_c,
        "temp_end_c": record.temp_c,
        "cooling": None if after is None else " ".join(after.cooling),
        "probe_before_ms": None if before is None else before.probe_ms,
        "probe_after_ms": None if after is None else after.probe_ms,
        "others_cpus_share": None if others is None else others.cpus_share,
        "others_machine_share": None if others is None else others.machine_share,
        "wait_share": None if others is None else others.wait_share,
        "battery_pct": None if after is None else after.battery_pct,
        "battery_status": None if after is None else after.battery_status,
        **_memory(record),
        "device": record.device.get("name"),
        "soc": record.device.get("soc"),
        "kernel": record.device.get("kernel"),
        "reasons": "; ".join(record.reasons),
        "n_samples": len(record.samples_ms),
        "samples_ms": " ".join(f"{ms:.6g}" for ms in record.samples_ms),
    }


def _memory(record: Record) -> dict[str, object]:
    return {
        f"{kind}_memory_bytes": None if record.memory is None else getattr(record.memory, f"{kind}_bytes")
        for kind in ("peak", "model", "arena")
    }
