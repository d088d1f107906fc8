"""What choosing by predictions saves on pages that the predictors have not seen."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
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
from runtime.web.learning.baselines import PageTruth, WebOutcome, outcome_of, outcomes
from runtime.web.learning.choice import FrameEstimate, Offer, PageState, choose_setting, frame_estimates
from runtime.web.learning.measured import Measured, profile_of
from runtime.web.learning.model import RUN, fit_way
from runtime.web.learning.pages import KnownPage
from runtime.web.learning.table import GestureTable
from runtime.web.learning.truth import known_settings, page_truth
from tests.benchmarks.web._errors import ErrorStudy, is_stress

GOVERNORS = ("interactive", "schedutil", "eas", "ebs", "policy", "later", "best")
_BASELINES = GOVERNORS[:4]
_OURS = ("policy", "later")
_GESTURES = 2  # of the page that were governed before ``later``
Choose = Callable[[float], dict[str, Setting]]
ENERGY_COLUMNS = {
    "soc": "SoC", "gesture": "gesture", "target_fps": "target", "governor": "governor", "fps": "FPS",
    "mean_mw": "mW", "missed_pct": "missed, %", "avoidable_pct": "avoidably",
    "saved_pct": "policy saves, %", "saved_equal_frames_pct": "at equal frames",
    "saved_equal_misses_pct": "at equal misses", "oracle_share_pct": "of the best's, %",
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
            choose, is_refused = _chooser(study, fold, rows, truth, profile, margin_pct)
            refused += is_refused
            for fps, made in zip(targets_fps, outcomes(truth, profile, targets_fps), strict=True):
                found.setdefault((part, fps), []).append(made | _ours(truth, made, choose, fps))
    if refused:
        note(f"{kind} on {target}: {refused} pages are unlike all others, and begin at the fastest setting")
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
            key = f"{what.replace('saved', 'energy_saved', 1)[:-4]}_vs_{name}_pct"
            summary[key] = _mean([row[what] for row in mine])
            summary[f"later_{key}"] = _mean([row[f"later_{what}"] for row in mine])
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
        "qos_violation_pct": mean_of("policy", "missed_pct"),
        "qos_violation_avoidable_pct": mean_of("policy", "avoidable_pct"),
        "later_qos_violation_pct": mean_of("later", "missed_pct"),
        "later_qos_violation_avoidable_pct": mean_of("later", "avoidable_pct"),
        "ebs_violation_pct": mean_of("ebs", "missed_pct"),
        "oracle_violation_pct": mean_of("best", "missed_pct"),
    }


def _chooser(
    study: ErrorStudy,
    fold: Fold,
    rows: GestureTable,
    truth: PageTruth,
    profile: SocProfile,
    margin_pct: float,
) -> tuple[Choose, bool]:
    """Return what chooses for a page's first gesture and a later one, and whether the page is not predicted.

    As the live governor does, which gives a page unlike all others the fastest setting at first.
    """
    first, model = rows.rows[0], fold.model
    features = study.known.get(first.page, KnownPage(first.page)).features
    page = PageState(features, *rows.of_run()) if study.way == RUN else PageState(features)
    shown = {each.setting: each for each in truth.estimates}
    offer = Offer.of(model, shown, profile, first.refresh_hz)
    capacities = capacity_rows(profile, lambda each: setting_power(profile, each), tuple(shown)).rows
    estimates: list[FrameEstimate] = []
    with contextlib.suppress(ValueError):
        estimates = frame_estimates(model, page, first, offer)

    def choose(fps: float) -> dict[str, Setting]:
        work = WorkModel(capacities, first.refresh_hz)
        setting = choose_setting(estimates, fps, margin_pct).chosen.setting if estimates else work.fastest
        return {"policy": setting, "later": _later(work, setting, first, shown, profile, fps)}

    return choose, not estimates


def _later(
    work: WorkModel, setting: Setting, gesture: Measured, shown: dict[Setting, FrameEstimate],
    profile: SocProfile, fps: float,
) -> Setting:  # fmt: skip
    """Return what the live governor takes after gestures of the page, the first at ``setting``."""
    for _ in range(_GESTURES):
        seen = shown[setting]
        capacity = profile.capacity(setting.cluster, setting.freq_khz) / FULL_CAPACITY
        work.learn(
            gesture.kind, gesture.speed,
            capacity=capacity, fps=seen.fps, work_ms=1000 * seen.busy * capacity / seen.fps,
        )  # fmt: skip
        setting = work.choose(gesture.kind, gesture.speed, fps).setting
    return setting


def _ours(truth: PageTruth, made: dict[str, WebOutcome], choose: Choose, fps: float) -> dict[str, WebOutcome]:
    """Return what becomes of ours, and of ours that must show no more than a baseline where that misses."""
    shown = {each.setting: each for each in truth.estimates}
    found = {name: outcome_of(shown[setting], fps) for name, setting in choose(fps).items()}
    for name in _BASELINES:
        asked_fps = min(fps, made[name].fps / HELD_SHARE)
        alike = choose(asked_fps) if made[name].misses else {}
        found |= {_like(ours, name): outcome_of(shown[each], asked_fps) for ours, each in alike.items()}
    return found


def _like(ours: str, name: str) -> str:
    return f"{ours} like {name}"


def _row(
    target: str, kind: str, part: str, fps: float, name: str, made: Sequence[dict[str, WebOutcome]]
) -> dict[str, Any]:
    mine = [each[name] for each in made]
    ceiling = sum(each["interactive"].mean_mw - each["best"].mean_mw for each in made)
    saved = sum(each["interactive"].mean_mw - _as_held(each, name, fps) for each in made)
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
        **_savings("", "policy", name, made),
        **_savings("later_", "later", name, made),
        "oracle_share_pct": 100 * saved / ceiling if ceiling > 0 else None,
    }


def _savings(prefix: str, ours: str, name: str, made: Sequence[dict[str, WebOutcome]]) -> dict[str, float]:
    """Return what ours save against ``name``: over the gesture, of a frame, and at equal misses."""
    mine, theirs = [each[ours] for each in made], [each[name] for each in made]
    alike = [each.get(_like(ours, name), each[ours]) for each in made]
    ratios = {
        "saved_pct": [a.mean_mw / b.mean_mw for a, b in zip(mine, theirs, strict=True)],
        "saved_equal_frames_pct": [a.frame_mj / b.frame_mj for a, b in zip(mine, theirs, strict=True)],
        "saved_equal_misses_pct": [a.mean_mw / b.mean_mw for a, b in zip(alike, theirs, strict=True)],
    }
    return {prefix + what: 100 * float(1 - np.exp(np.log(each).mean())) for what, each in ratios.items()}


def _as_held(made: dict[str, WebOutcome], name: str, target_fps: float) -> float:
    """Return a mean power; what was saved by missing frames that the best shows does not count."""
    mine, best = made[name].mean_mw, made["best"].mean_mw
    return max(mine, best) if _is_avoidable(made[name], made, target_fps) else mine


def _is_avoidable(mine: WebOutcome, made: dict[str, WebOutcome], target_fps: float) -> bool:
    """Return whether a gesture misses what the fastest clock would have shown of the target."""
    return mine.fps < HELD_SHARE * min(target_fps, made["performance"].fps)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
