"""Measure one block: what the machine does before, the frames, what it does after, the verdict."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone

from runtime._version import __version__
from runtime.engines import Samples
from runtime.flow.opening import flow_figures, open_session
from runtime.measure.bench.cool_down import wait_until_cool
from runtime.measure.bench.energy import energy_fields
from runtime.measure.bench.plan import BenchJob, BenchPlan
from runtime.measure.records import Record
from runtime.measure.verdict import Verdict, judge
from runtime.targets import Target


def measure_block(
    target: Target,
    job: BenchJob,
    plan: BenchPlan,
    earlier: Sequence[Record] = (),
    run: str | None = None,
    on_step: Callable[[str], None] = lambda text: None,
) -> Record:
    """Run one block and return its record.

    Args:
        earlier: stable records of the same variant and setting that this bench made before.
        run: names the bench that the block is part of.
        on_step: called when it has to wait for a hot machine.

    Raises:
        DeviceError, PermissionNeeded: the target cannot do it.
    """
    bundle, is_modelled = job.bundle, target.is_modelled
    with open_session(target, bundle, job.variant, job.setting) as session:
        waited_s = 0.0
        if not is_modelled:
            waited_s = wait_until_cool(session, plan.max_temp_c, plan.cool_down_s, on_step)
        before = session.conditions(probe=not is_modelled)
        samples = session.sample(warmup=plan.warmup, runs=plan.runs, fps=plan.fps)
        after = session.conditions()  # counters first: the probe is no work of the block
        if not is_modelled:
            after = replace(after, probe_ms=session.conditions(probe=True).probe_ms)
        setting_read, control_level = session.setting_read, session.control_level
        versions, device = session.versions, session.device
        flow = flow_figures(target, bundle, job.variant, session, samples)
    if is_modelled:
        verdict = Verdict("modelled", (_modelled_reason(samples),))
    else:
        verdict = judge(
            samples.samples_ms,
            asked=job.setting,
            read=setting_read,
            before=before,
            after=after,
            earlier_medians_ms=[record.latency_ms for record in earlier],
            earlier_probes_ms=[probe_ms for record in earlier for probe_ms in record.probes_ms],
            max_temp_c=plan.max_temp_c,
            misplaced=samples.misplaced,
            is_paced=plan.fps is not None,
        )
    latency_ms = statistics.median(samples.samples_ms)
    power_mw, energy_mj, energy_source, energy_basis = energy_fields(
        target, job.setting, samples, latency_ms, is_paced=plan.fps is not None
    )
    return Record(
        model=bundle.manifest.name,
        model_sha256=bundle.sha256(job.variant.path),
        variant=job.variant.name,
        engine=job.variant.engine,
        precision=job.variant.precision,
        target=target.name,
        provenance=target.provenance,
        setting=job.setting,
        setting_read=setting_read,
        control_level=control_level,
        samples_ms=samples.samples_ms,
        first_frame_ms=samples.first_ms,
        load_ms=samples.load_ms,
        warmup=plan.warmup,
        power_mw=power_mw,
        energy_mj=energy_mj,
        energy_source=energy_source,
        energy_basis=energy_basis,
        temp_c=after.temp_c,
        verdict=verdict.verdict,
        reasons=verdict.reasons,
        block=job.block,
        seed=plan.seed,
        created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        versions={"edgekit": __version__, "python": platform.python_version()} | versions,
        advice=verdict.advice,
        fps_target=plan.fps,
        cooled_s=waited_s,
        before=None if is_modelled else before,
        after=None if is_modelled else after,
        device=device,
        energy=samples.energy,
        memory=samples.memory,
        latency_low_ms=None if samples.bounds is None else samples.bounds.low_ms,
        latency_high_ms=None if samples.bounds is None else samples.bounds.high_ms,
        run=run,
        runs=plan.runs,
        max_temp_c=plan.max_temp_c,
        flow=flow,
    )


def _modelled_reason(samples: Samples) -> str:
    if (bounds := samples.bounds) is None:
        return "modelled: computed, not timed, with the error of the model"
    low, high = (bound / samples.samples_ms[0] for bound in (bounds.low_ms, bounds.high_ms))
    return f"modelled: may truly take {low:.2f} to {high:.2f} times as long, {bounds.basis}"
