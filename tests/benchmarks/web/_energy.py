"""What choosing by predictions saves on pages that the predictors have not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgekit.cli._output import note
from runtime.device.setting import Setting
from runtime.device.soc import SocProfile, setting_power
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.govern.governor.tables import capacity_rows
from runtime.web.governing.work_model import WorkModel
from runtime.web.interaction.rows import HELD_SHARE
from runtime.web.learning.assess import Fold
from runtime.web.learning.baselines import PageTruth, WebOutcome, outcomes
from runtime.web.learning.choice import Offer, PageState, choose_setting, frame_estimates
from runtime.web.learning.measured import Measured, profile_of
from runtime.web.learning.model import RUN, fit_way
from runtime.web.learning.pages import KnownPage
from runtime.web.learning.table import GestureTable
from runtime.web.learning.truth import known_settings, page_truth
from tests.benchmarks.web._errors import ErrorStudy, is_stress

GOVERNORS = ("interactive", "schedutil", "eas", "ebs", "policy", "later", "best")
_GESTURES = 2  # of the page that were governed before ``later``
ENERGY_COLUMNS = {
    "soc": "SoC", "gesture": "gesture", "target_fps": "target", "governor": "governor", "fps": "FPS",
    "mean_mw": "mW", "missed_pct": "missed, %", "avoidable_pct": "avoidably",
    "saved_pct": "policy saves, %", "saved_equal_frames_pct": "at equal frames",
    "saved_equal_misses_pct": "both hold", "oracle_share_pct": "of the best's, %",
}  # fmt: skip


def energy_rows(study: ErrorStudy, targets_fps: Sequence[float], margin_pct: float) -> list[dict[str, Any]]:
    """Return a row per target frame rate and governor, of pages that were left out in turn: real, made up."""
    table = study.table
    target, kind = table.rows[0].target, table.rows[0].kind
    profile = profile_of(target)
    if profile is None:
        note(f"{target}: no power table, no energies")
        return []
    settings = known_settings(table, profile)
    whole = fit_way(study.way, table, learners=["ridge"])
    found: dict[tuple[str, float], list[dict[str, WebOutcome]]] = {}
    refused = 0
    for fold in study.folds:
        for case in np.unique(table.case[fold.test]):
            rows = table.select(table.case == case)
            truth = page_truth(whole, rows, settings, profile)
            part = "stress" if is_stress(rows.rows[0].page) else "real"
            for fps in targets_fps:
                chosen = _chosen(study, fold, rows, truth, profile, fps, margin_pct)
                refused += not chosen
                made = outcomes(truth, profile, fps, chosen)
                # A page that is not predicted is left to the kernel.
                found.setdefault((part, fps), []).append({"policy": made["eas"], "later": made["eas"]} | made)
    if refused:
        note(f"{kind} on {target}: {refused} cases are unlike all others, and left to the kernel")
    return [
        _row(target, kind, part, fps, name, found[part, fps])
        for part, fps in sorted(found, key=lambda key: (key[0], -key[1]))
        for name in GOVERNORS
    ]


def energy_summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return savings on real pages: means over target frame rates and gestures, and the oracle's share."""
    rows = [row for row in rows if row["part"] == "real"] or rows
    if not rows:
        return {}
    summary: dict[str, Any] = {}
    for name, base in (("interactive", "interactive"), ("ebs", "ebs"), ("schedutil_eas", "eas")):
        mine = [row for row in rows if row["governor"] == base]
        for what in ("saved_pct", "saved_equal_frames_pct", "saved_equal_misses_pct"):
            known = [row[what] for row in mine if row[what] is not None]
            summary[f"{what.replace('saved', 'energy_saved', 1)[:-4]}_vs_{name}_pct"] = _mean(known)
    for soc in dict.fromkeys(row["soc"] for row in rows):
        mine = [row for row in rows if row["governor"] == "interactive" and row["soc"] == soc]
        summary[f"energy_saved_vs_interactive_{soc.rpartition(':')[2]}_pct"] = _mean(
            [r["saved_pct"] for r in mine]
        )

    def mean_of(name: str, what: str) -> float | None:
        return _mean([row[what] for row in rows if row["governor"] == name and row[what] is not None])

    return summary | {
        "oracle_share_pct": mean_of("policy", "oracle_share_pct"),
        "later_oracle_share_pct": mean_of("later", "oracle_share_pct"),
        "later_energy_saved_vs_interactive_pct": mean_of("interactive", "later_saved_pct"),
        "qos_violation_pct": mean_of("policy", "missed_pct"),
        "qos_violation_avoidable_pct": mean_of("policy", "avoidable_pct"),
        "later_qos_violation_pct": mean_of("later", "missed_pct"),
        "later_qos_violation_avoidable_pct": mean_of("later", "avoidable_pct"),
        "ebs_violation_pct": mean_of("ebs", "missed_pct"),
        "oracle_violation_pct": mean_of("best", "missed_pct"),
    }


def _chosen(
    study: ErrorStudy, fold: Fold, rows: GestureTable, truth: PageTruth, profile: SocProfile,
    fps: float, margin_pct: float,
) -> dict[str, Setting]:  # fmt: skip
    """Return what is chosen for a page's first gesture and a later one; nothing of one unlike all others."""
    first, model = rows.rows[0], fold.model
    features = study.known.get(first.page, KnownPage(first.page)).features
    page = PageState(features, *rows.of_run()) if study.way == RUN else PageState(features)
    offer = Offer.of(model, (each.setting for each in truth.estimates), profile, first.refresh_hz)
    try:
        estimates = frame_estimates(model, page, first, offer)
    except ValueError:
        return {}
    setting = choose_setting(estimates, fps, margin_pct).chosen.setting
    return {"policy": setting, "later": _later(setting, first, truth, profile, fps)}


def _later(setting: Setting, gesture: Measured, truth: PageTruth, profile: SocProfile, fps: float) -> Setting:
    """Return what the live governor takes after gestures of the page, the first at ``setting``."""
    shown = {each.setting: each for each in truth.estimates}
    rows = capacity_rows(profile, lambda each: setting_power(profile, each), tuple(shown)).rows
    work = WorkModel(rows, gesture.refresh_hz)
    for _ in range(_GESTURES):
        seen = shown[setting]
        capacity = profile.capacity(setting.cluster, setting.freq_khz) / FULL_CAPACITY
        work.learn(
            gesture.kind, gesture.speed,
            capacity=capacity, fps=seen.fps, work_ms=1000 * seen.busy * capacity / seen.fps,
        )  # fmt: skip
        setting = work.choose(gesture.kind, gesture.speed, fps).setting
    return setting


def _row(
    target: str, kind: str, part: str, fps: float, name: str, made: Sequence[dict[str, WebOutcome]]
) -> dict[str, Any]:
    mine = [each[name] for each in made]
    pairs = [(each["policy"], each[name]) for each in made]
    both = [(ours, theirs) for ours, theirs in pairs if not (ours.misses or theirs.misses)]
    ceiling = sum(each["interactive"].mean_mw - each["best"].mean_mw for each in made)
    saved = sum(each["interactive"].mean_mw - each[name].mean_mw for each in made)
    return {
        "soc": target.rpartition(":")[2],
        "gesture": kind,
        "part": part,
        "target_fps": fps,
        "governor": name,
        "cases": len(mine),
        "fps": float(np.mean([each.fps for each in mine])),
        "mean_mw": float(np.mean([each.mean_mw for each in mine])),
        "frame_mj": float(np.mean([each.frame_mj for each in mine])),
        "missed_pct": 100 * float(np.mean([each.misses for each in mine])),
        "avoidable_pct": 100 * float(np.mean([_is_avoidable(each[name], each, fps) for each in made])),
        "saved_pct": _saved_pct([(ours.mean_mw, theirs.mean_mw) for ours, theirs in pairs]),
        "later_saved_pct": _saved_pct([(each["later"].mean_mw, each[name].mean_mw) for each in made]),
        "saved_equal_frames_pct": _saved_pct([(ours.frame_mj, theirs.frame_mj) for ours, theirs in pairs]),
        "saved_equal_misses_pct": _saved_pct([(ours.mean_mw, theirs.mean_mw) for ours, theirs in both]),
        "oracle_share_pct": 100 * saved / ceiling if ceiling > 0 else None,
    }


def _is_avoidable(mine: WebOutcome, made: dict[str, WebOutcome], target_fps: float) -> bool:
    """Return whether a gesture misses what the fastest clock would have shown of the target."""
    return mine.fps < HELD_SHARE * min(target_fps, made["performance"].fps)


def _saved_pct(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return the mean over pages of what the first saves against the second; ``None`` of no pages."""
    return 100 * float(np.mean([1 - ours / theirs for ours, theirs in pairs])) if pairs else None


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
