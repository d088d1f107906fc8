"""Governed gestures as records, for predictors to learn from: ``edgekit fit --kind web --log``."""

from __future__ import annotations

import platform
from datetime import datetime, timezone

from runtime._version import __version__
from runtime.device.meters import read_device
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.govern.governor.plan import GovernPlan
from runtime.measure.gesture_figures import GestureFigures
from runtime.measure.records import Record
from runtime.web.governing.gesture_run import GovernedGesture


def record_of(done: GovernedGesture, plan: GovernPlan, refresh_hz: float) -> Record | None:
    """Return the record of a gesture at one setting; ``None`` where it had several, or too little is known.

    Nobody watched what else ran, so it is never a stable one.
    """
    if not done.frames or done.work_by_role_ms is None or len(done.settings) != 1:
        return None
    target = plan.target
    figures = GestureFigures(
        kind=done.kind,
        speed=done.speed,
        source=done.source,
        factor=1.0,
        window_s=done.window_s,
        refresh_hz=refresh_hz,
        displayed_frames=done.frames,
        longest_gap_ms=max(done.gaps_ms),
        work_ms=done.work_by_role_ms,
        capacity=done.capacity * FULL_CAPACITY,
    )
    return Record(
        model=done.page.name,
        model_sha256=done.page.sha256,
        variant=f"{done.kind}-{done.speed:.0f}{'-touch' if done.source == 'touch' else ''}",
        engine="chromium",
        precision="none",
        target=plan.name,
        provenance=target.provenance,
        setting=done.settings[0][1],
        setting_read=None,
        control_level=target.capability.level,
        samples_ms=done.gaps_ms,
        first_frame_ms=None,
        warmup=0,
        power_mw=None,
        energy_mj=None,
        energy_source="not measured while a page is governed",
        temp_c=None,
        verdict="unstable",
        reasons=("governed: nobody watched what else ran",),
        block=0,
        seed=0,
        created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        versions={"edgekit": __version__, "python": platform.python_version(), "kernel": platform.release()},
        fps_target=done.fps_target,
        device=read_device(target.root),
        gesture=figures,
    )
