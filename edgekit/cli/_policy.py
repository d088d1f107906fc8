"""How commands print policies and what came of running them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.cli._output import note, print_table, say
from runtime.visible import one_line

if TYPE_CHECKING:
    from runtime.bundle import Bundle
    from runtime.choose.policy.estimate import Estimate
    from runtime.choose.policy.outcome import Outcome
    from runtime.choose.policy.policy import Policy
    from runtime.govern.run.flow_run import FlowResult
    from runtime.govern.run.run import RunResult


def print_policy(policy: Policy) -> None:
    """Print the best of each cluster, the choice with its reason, and the comparison."""
    from runtime.choose.tuning.reason import price

    rows = [
        (
            estimate.variant,
            str(estimate.setting),
            estimate.latency_ms,
            estimate.latency_high_ms,
            estimate.power_mw,
            estimate.energy_mj,
            price(estimate, policy.goal),
            _verdict(policy, estimate),
        )
        for estimate in policy.winners + policy.losers
    ]
    headers = ("variant", "best of its cores", "ms", "ms at most", "mW", "mJ/frame", "cost", "")
    print_table(headers, rows, optional=("mW", "ms at most"))
    say(f"\n{one_line(policy.reason)}\n")
    print_comparison(policy)
    say(one_line(f"Latency: {policy.provenance}; from {policy.predictor}."))
    say(f"Energy: {energy_source(policy, policy.energy_mj)}.")
    if policy.battery is not None:
        say(f"Battery: {policy.battery.words}.")
    for remark in policy.notes:
        say(f"Note: {one_line(remark)}.")


def given_to(bundle: Bundle) -> str:
    """Return what ``edgekit run`` is given beside the bundle: a picture, or a seed where it takes nothing."""
    from runtime.flow.given import wanted

    task = bundle.manifest.task_or_implied
    if task is not None and not wanted(task.flow, bundle.manifest.graphs):
        return " --seed 7"
    return " --input photo.png"


def plot_policy(policy: Policy, out: Path | None) -> None:
    """Draw the policy into ``out``, if that is asked, and say where it went."""
    if out is not None:
        from edgekit.report import write_frontier

        note(f"plot written: {write_frontier(policy, out)}")


def print_run(result: RunResult) -> None:
    """Print what the inputs show, the setting, and what a frame took."""
    for prediction in result.predictions:
        rows = [(f"{100 * guess.probability:6.2f} %", guess.label) for guess in prediction.guesses]
        print_table((Path(prediction.input).name, "class"), rows or [("-", "the output names no classes")])
        say()
    read = "cannot be read back" if result.setting_read is None else f"read back: {result.setting_read}"
    pace = "back to back" if result.fps_target is None else f"at {result.fps_target:g} FPS"
    late = f", {result.late_frames} late (deadline {result.deadline_ms:.3g} ms)" if result.deadline_ms else ""
    energy = "not known" if result.energy_mj is None else f"{result.energy_mj:.3g} mJ a frame"
    say(f"Setting: {result.setting} ({read}; control: {result.control_level})")
    say(f"Frames:  {result.frames} of {result.variant} {pace}{late}")
    latency = f"{result.latency_ms:.3g} ms median, {result.p90_ms:.3g} ms p90"
    say(f"Latency: {latency} ({result.provenance})")
    say(f"Energy:  {energy} ({energy_source(result, result.energy_mj)})")
    say(f"Why:     {one_line(result.reason)}")
    for remark in result.notes:
        say(f"Note:    {one_line(remark)}.")


def print_comparison(policy: Policy) -> None:
    """Print one row per governor on the same frames; nothing when there is no comparison."""
    from runtime.choose.tuning.savings import explain_savings

    if not policy.comparison:
        return
    rows = [
        (
            "this policy" if o.governor == "policy" else o.title,
            f"{o.cluster} x{o.threads}",
            _clocks(o),
            o.latency_ms,
            round(o.fps, 1),
            _late(o),
            o.energy_mj,
            _saves(o, policy.deadline_ms),
        )
        for o in policy.comparison
    ]
    print_table(("governor", "cores", "MHz", "ms", "fps", "late", "mJ/frame", "policy saves"), rows)
    savings = explain_savings(policy)
    say(f"\n{savings}\n" if savings else "")


def energy_source(result: Policy | RunResult | FlowResult, energy_mj: float | None) -> str:
    """Return where an energy comes from, in words; why there is none where it is ``None``."""
    # Modelled latency makes energy modelled, however well the power was measured.
    if energy_mj is None:
        return result.energy_source
    return f"{result.provenance} latency x power; power {result.energy_source}"


def _verdict(policy: Policy, estimate: Estimate) -> str:
    from runtime.choose.tuning.reason import refusal

    if estimate == policy.chosen:
        return "<- chosen"
    return refusal(estimate, policy.goal)


def _late(outcome: Outcome) -> str:
    late_pct = 100 * outcome.late_frames / outcome.frames
    return "<1 %" if 0 < late_pct < 1 else f"{late_pct:.0f} %"


def _saves(outcome: Outcome, deadline_ms: float) -> str:
    if outcome.misses_deadline:
        return f"misses {deadline_ms:.3g} ms"
    if outcome.saved_pct is None or outcome.governor == "policy":
        return ""
    return f"{outcome.saved_pct:+.1f} %"


def _clocks(outcome: Outcome) -> str:
    low, high = (f"{khz / 1000:g}" for khz in (outcome.freq_low_khz, outcome.freq_high_khz))
    return low if low == high else f"{low}-{high}"
