"""How figures came about, in a few words to print beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runtime.measure.records import Record


def protocol(records: Sequence[Record]) -> str:
    """Return device, plan and conditions of ``records`` in one line; what is unknown is left out.

    Example:
        >>> protocol(list(RecordLog("local.jsonl")))                             # doctest: +SKIP
        'local: vm, AMD EPYC, Linux 6.18; 3 blocks of 30 frames back-to-back after 5, seed 0; by affinity'
    """
    first = records[0]
    parts = [
        _device(first),
        _plan(records) if not first.is_modelled else "",
        f"controlled by {_listed(record.control_level for record in records)}",
        _heat(records),
        _battery(records),
        _listed(f"{key} {value}" for key, value in first.versions.items() if key in ("engine", "model")),
    ]
    return "; ".join(part for part in parts if part)


def _device(record: Record) -> str:
    known = (record.device.get(key) for key in ("name", "soc", "kernel"))
    facts = ", ".join(fact for fact in known if fact)
    return f"{record.target}: {facts}" if facts else record.target


def _plan(records: Sequence[Record]) -> str:
    blocks = len({record.block for record in records})
    frames = _listed(str(len(record.samples_ms)) for record in records)
    paces = ("back-to-back" if r.fps_target is None else f"at {r.fps_target:g} fps" for r in records)
    seeds = _listed(str(record.seed) for record in records)
    again = sum(record.tries - 1 for record in records)
    retried = f", {again} blocks measured again" if again else ""
    many = f"{blocks} block{'s' if blocks > 1 else ''} of {frames} frames {_listed(paces)}"
    return f"{many} after {_listed(str(r.warmup) for r in records)} warm-up, seed {seeds}{retried}"


def _heat(records: Sequence[Record]) -> str:
    found = [m.temp_c for r in records for m in (r.before, r.after) if m is not None and m.temp_c is not None]
    return f"{min(found):.0f} to {max(found):.0f} C" if found else ""


def _battery(records: Sequence[Record]) -> str:
    moments = [m for r in records for m in (r.before, r.after) if m is not None and m.battery_status]
    if not moments:
        return ""
    charge = moments[0].battery_pct
    status = _listed(moment.battery_status or "" for moment in moments).lower()
    return f"battery {status}" if charge is None else f"battery {charge:.0f} %, {status}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))
