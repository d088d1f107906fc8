"""Which blocks of a log a bench need not measure again, and what to say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runtime.device.setting import Setting
from runtime.flow.opening import open_session
from runtime.measure.bench.block import measure_block
from runtime.measure.bench.plan import BenchJob, BenchPlan
from runtime.measure.origin import Origin, origin, origin_of
from runtime.measure.records import Record
from runtime.targets import MeteredSession, Target

Key = tuple[str, str, str, Setting, int, int, float | None, int, int, float | None]


class KeptBlocks:
    """Finished blocks of a log: stable, of this target, plan, machine, kernel, engine and meter.

    A record that lacks one of these facts, as old ones do, is of an unknown origin: it is not kept.
    A modelled block is computed anew and kept if it says the same.

    Args:
        records: of the log.
        with_unstable: whether an unstable block is finished too, as for a lab, which retries by itself.
    """

    def __init__(
        self, records: Iterable[Record], target: Target, plan: BenchPlan, *, with_unstable: bool = False
    ):
        self._target, self._plan = target, plan
        self._by_key: dict[Key, list[Record]] = {}
        for record in records:
            if with_unstable or record.is_trusted:
                self._by_key.setdefault(_key_of_record(record), []).append(record)
        self._origins: dict[tuple[str, str], Origin] = {}
        self._kept: list[Record] = []
        self._refused: list[Record] = []

    def find(self, job: BenchJob) -> Record | None:
        """Return the newest record that stands for ``job``, ``None`` where it has to be measured."""
        candidates = self._by_key.get(_key_of_job(job, self._target, self._plan), [])
        if not candidates:
            return None
        if self._target.is_modelled:
            fresh = measure_block(self._target, job, self._plan)
            return next((record for record in reversed(candidates) if _says_the_same(record, fresh)), None)
        now = self._origin_now(job)
        for record in reversed(candidates):
            if origin_of(record) == now and now.machine:
                self._kept.append(record)
                return record
        self._refused.append(candidates[-1])
        return None

    def messages(self) -> Iterator[str]:
        """Yield what was kept and what was not, by day and origin."""
        for (day, text), count in _by_day(self._kept).items():
            yield f"kept {count} of {day} from {text}; --again measures anew"
        now = "; ".join(dict.fromkeys(origin.text for origin in self._origins.values()))
        for (day, text), count in _by_day(self._refused).items():
            yield f"not kept: {count} of {day} from {text}; this is {now}"

    def _origin_now(self, job: BenchJob) -> Origin:
        """Return what would measure ``job``; a session is opened to ask, once for each engine."""
        place = (job.variant.engine, job.variant.precision)
        if place not in self._origins:
            with open_session(self._target, job.bundle, job.variant, job.setting) as session:
                meter = session.meter if isinstance(session, MeteredSession) else None
                self._origins[place] = origin(session.device, session.versions, meter)
        return self._origins[place]


def _by_day(records: Sequence[Record]) -> dict[tuple[str, str], str]:
    counts: dict[tuple[str, str], int] = {}
    for record in records:
        place = (record.created_utc[:10], origin_of(record).text)
        counts[place] = counts.get(place, 0) + 1
    return {place: f"{count} block{'s' if count > 1 else ''}" for place, count in counts.items()}


def _says_the_same(known: Record, fresh: Record) -> bool:
    """Whether a modelled block is what the model, the machine's profile and its powers give today."""
    names = (
        "samples_ms", "latency_low_ms", "latency_high_ms", "setting_read", "power_mw", "energy_mj",
        "energy_source", "energy_basis", "device", "verdict",
    )  # fmt: skip
    return known.versions.get("model") == fresh.versions.get("model") and all(
        getattr(known, name) == getattr(fresh, name) for name in names
    )


def _key_of_job(job: BenchJob, target: Target, plan: BenchPlan) -> Key:
    sha256 = job.bundle.sha256(job.variant.path)
    if target.is_modelled:
        return sha256, job.variant.name, target.name, job.setting, plan.seed, job.block, plan.fps, 0, 0, None
    return (
        sha256, job.variant.name, target.name, job.setting, plan.seed, job.block, plan.fps,
        plan.runs, plan.warmup, plan.max_temp_c,
    )  # fmt: skip


def _key_of_record(record: Record) -> Key:
    protocol = (record.runs or len(record.samples_ms), record.warmup, record.max_temp_c)
    return (
        record.model_sha256, record.variant, record.target, record.setting, record.seed, record.block,
        record.fps_target, *((0, 0, None) if record.is_modelled else protocol),
    )  # fmt: skip
