"""One run: a gesture on a page under one setting, and its record."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from runtime._version import __version__
from runtime.device.meters import EnergyReading
from runtime.device.setting import Setting
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.errors import PageError
from runtime.measure.gesture_figures import GestureFigures
from runtime.measure.records import Record
from runtime.measure.verdict import Verdict, judge_machine
from runtime.targets.local import HeldSetting
from runtime.web.browser.clock import clock_ahead_s
from runtime.web.browser.display import Watch, lag_s
from runtime.web.browser.processes import spent_ms, work_by_role_ms
from runtime.web.frames.displayed import FRAMES_ONLY, Shown, check_clock, shown, traced
from runtime.web.frames.second_count import count_again, disagreement
from runtime.web.frames.smoothness import DETAILED_CATEGORIES, smoothness
from runtime.web.gestures.gesture import Gesture
from runtime.web.gestures.perform import Performed, perform
from runtime.web.gestures.recording import recorded_strokes
from runtime.web.gestures.room import to_top
from runtime.web.gestures.strokes import Stroke, strokes_of, turns
from runtime.web.interaction.machine import Machine
from runtime.web.interaction.subject import Subject

_REST_S = 0.2  # what going to the top of the page causes is drawn
_CHECK_COUNT = "look which layers of the phone show the page (adb shell dumpsys SurfaceFlinger --list)"


@dataclass(frozen=True)
class RunPlan:
    """What is measured, and where it stands among the runs of a series.

    Attributes:
        duration_s: of the gesture, at least.
        block: number of the run.
        run: names the series.
        is_detailed: ask Chrome for its reports, too, which cost work of their own.
    """

    gesture: Gesture
    setting: Setting
    duration_s: float = 5.0
    block: int = 0
    seed: int = 0
    run: str | None = None
    earlier_probes_ms: tuple[float, ...] = ()
    is_detailed: bool = False


def measure(machine: Machine, subject: Subject, held: HeldSetting, plan: RunPlan) -> Record:
    """Do the gesture once on a page that is placed, and return the record.

    Raises:
        PageError: the page cannot be scrolled, or does not stay as it was.
        WebError: the browser is gone.
        DeviceError: the machine is gone, or its display is dark.
    """
    page, gesture = subject.page, plan.gesture
    display = page.connection.host.display
    machine.check(page)
    strokes = ready(subject, gesture, plan.duration_s, display.refresh_hz)
    full_probe_ms = machine.probe_ms() if machine.provenance == "emulated" else None
    before = machine.conditions(subject, held, probe=True)
    ahead_s = clock_ahead_s(page)
    categories = DETAILED_CATEGORIES if plan.is_detailed else FRAMES_ONLY
    with display.watched() as watch, traced(page.connection, categories) as trace:
        started_ms = work_by_role_ms(subject.drawing)

        def work() -> Performed:
            done = perform(page, strokes)
            time.sleep(2 * lag_s(display.refresh_hz))  # the last frames are on their way
            return done

        performed, energy = machine.metered(work)
        ended_ms = work_by_role_ms(subject.drawing)
        after = machine.conditions(subject, held)
    after = replace(after, probe_ms=machine.probe_ms(held))
    page.check()
    machine.check(page)
    performed, refresh_hz = performed.shifted(ahead_s), watch.refresh_hz
    check_clock(trace.times_s(), performed)
    seen = shown(trace.times_s(), performed, refresh_hz)
    again = count_again(watch, seen)
    renderer = subject.drawing.renderer
    reports = smoothness(trace.events, renderer, performed, refresh_hz) if plan.is_detailed else None
    capacity = _capacity(machine, plan.setting)
    figures = GestureFigures(
        kind=gesture.kind,
        speed=gesture.speed,
        source=gesture.source,
        factor=gesture.factor,
        window_s=seen.window_s,
        refresh_hz=refresh_hz,
        displayed_frames=len(seen.times_s),
        longest_gap_ms=max(seen.gaps_ms),
        work_ms=_per_frame_ms(spent_ms(started_ms, ended_ms), seen, _speed(machine, capacity)),
        probe_ms=full_probe_ms,
        main_fps=None if reports is None else reports.main_frames / seen.window_s,
        dropped_frames=None if reports is None else reports.dropped_frames,
        delayed_pct=None if reports is None else reports.delayed_pct,
        turned=gesture.recorded is None and turns(gesture, subject.room, plan.duration_s),
        scroller=subject.room.scroller,
        capacity=capacity,
        late_ms=performed.late_ms,
        viewport_px=(subject.room.width_px, subject.room.height_px),
        counted_again=again,
    )
    setting_read = Setting(plan.setting.cluster, machine.read_khz(held), plan.setting.threads)
    verdict = judge_machine(plan.setting, setting_read, before, after, plan.earlier_probes_ms)
    verdict = _with_count(verdict, watch, seen, again, machine.remarks)
    power_mw, energy_mj, source, counted = _energy(machine, energy, len(seen.times_s))
    level = held.clock_level if plan.setting.freq_khz is not None else "affinity" if held.cpus else "threads"
    return Record(
        model=subject.name,
        model_sha256=subject.sha256,
        variant=gesture.name,
        engine="chromium",
        precision="none",
        target=machine.name,
        provenance=machine.provenance,
        setting=plan.setting,
        setting_read=setting_read,
        control_level=level,
        samples_ms=seen.gaps_ms,
        first_frame_ms=None,
        warmup=0,
        power_mw=power_mw,
        energy_mj=energy_mj,
        energy_source=source,
        energy_basis=counted,
        energy=None if energy is None else replace(energy, frames=len(seen.times_s)),
        temp_c=after.temp_c,
        verdict=verdict.verdict,
        reasons=verdict.reasons,
        advice=verdict.advice,
        block=plan.block,
        seed=plan.seed,
        run=plan.run,
        created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        versions={
            "edgekit": __version__,
            "python": platform.python_version(),
            "engine": subject.browser,
            "kernel": machine.kernel,
        },
        fps_target=refresh_hz,
        before=before,
        after=after,
        device=machine.device,
        gesture=figures,
    )


def ready(subject: Subject, gesture: Gesture, duration_s: float, refresh_hz: float) -> Sequence[Stroke]:
    """Bring the page to its top and return the movements of a gesture of ``duration_s`` on it.

    Args:
        refresh_hz: of the display.

    Raises:
        PageError: the page cannot be scrolled.
    """
    to_top(subject.page, subject.room.scale)
    try:
        if gesture.recorded is not None:
            strokes = recorded_strokes(gesture.recorded, subject.room)
        else:
            strokes = strokes_of(gesture, subject.room, duration_s, refresh_hz)
    except ValueError as err:
        raise PageError(f"{subject.name}: {err}; leave it out, or pinch it") from err
    time.sleep(_REST_S)
    return strokes


def _with_count(
    verdict: Verdict, watch: Watch, seen: Shown, again: int | None, remarks: Sequence[str]
) -> Verdict:
    """Return the verdict with what a second count of the frames says, and what else is to be known."""
    said = [*remarks, *watch.remarks]
    if watch.fault is not None:
        said.append(f"frames were not counted a second time: {watch.fault}")
    apart = None if again is None else disagreement(seen, again, watch.source or "the display")
    if apart is None:
        return replace(verdict, reasons=(*verdict.reasons, *said))
    reasons = (apart, *(verdict.reasons if verdict.verdict == "unstable" else ()), *said)
    return Verdict("unstable", reasons, (_CHECK_COUNT, *verdict.advice))


def _per_frame_ms(work_ms: dict[str, float], seen: Shown, speed: float) -> dict[str, float]:
    """Return the work of a frame; of a gesture that showed none, all of it."""
    frames = max(1, len(seen.times_s))
    return {role: spent * speed / frames for role, spent in work_ms.items()}


def _speed(machine: Machine, capacity: float | None) -> float:
    """Return how fast the core was that the CPU time was spent on, of the SoC's fastest."""
    # An emulated core is a fast one that is taken away for a part of the time, which is no CPU time.
    return 1.0 if machine.provenance == "emulated" or capacity is None else capacity / FULL_CAPACITY


def _capacity(machine: Machine, setting: Setting) -> float | None:
    cluster = machine.profile.cluster(setting.cluster)
    if not cluster.opps:
        return None
    return float(machine.profile.capacity(cluster, setting.freq_khz))


def _energy(
    machine: Machine, read: EnergyReading | None, frames: int
) -> tuple[float | None, float | None, str, str | None]:
    """Return power in mW, energy of a displayed frame in mJ, their source, and what they count."""
    if read is None or read.power_mw is None:
        return None, None, machine.energy_note if read is None else read.text, None
    per_frame_mj = None if frames == 0 else read.power_mw * read.duration_s / frames
    return read.power_mw, per_frame_mj, read.text, read.counted
