"""What choosing by predictions saves on pages that the predictors have not seen."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from edgekit.cli._output import note
from runtime.device.setting import Setting
from runtime.device.soc import SocProfile, setting_power
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.govern.governor.tables import capacity_rows
from runtime.web.governing.gesture_run import WEIGH_S
from runtime.web.governing.learnt_model import bend_of
from runtime.web.governing.work_model import SPARE, WorkModel
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

_BASELINES = ("interactive", "schedutil", "eas", "ebs")
_OURS = {"policy": "", "first": "first_", "later": "later_"}  # and what begins the names of their savings
GOVERNORS = (*_BASELINES, *_OURS, "best")
_GESTURES = 2  # of the page that were governed before ``later``
_WEIGHED = WEIGH_S / 3.0  # of a gesture of 3 s, as ``first`` sees it
Parts = Sequence[tuple[float, Setting]]  # of a gesture: its share, and what it ran at
Choose = Callable[[float], dict[str, Parts]]
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
            for prefix in _OURS.values():
                summary[prefix + key] = _mean([row[prefix + what] for row in mine])
    for soc in dict.fromkeys(row["soc"] for row in rows):
        mine = [row for row in rows if row["governor"] == "interactive" and row["soc"] == soc]
        summary[f"energy_saved_vs_interactive_{soc.rpartition(':')[2]}_pct"] = _mean(
            [r["saved_pct"] for r in mine]
        )

    def mean_of(name: str, what: str) -> float | None:
        return _mean([row[what] for row in rows if row["governor"] == name and row[what] is not None])

    figures = {
        "oracle_share_pct": "oracle_share_pct",
        "qos_violation_pct": "missed_pct",
        "qos_violation_avoidable_pct": "avoidable_pct",
    }
    return summary | {
        **{
            prefix + key: mean_of(ours, what)
            for key, what in figures.items()
            for ours, prefix in _OURS.items()
        },
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

    def choose(fps: float) -> dict[str, Parts]:
        work = WorkModel(capacities, first.refresh_hz, bends={first.kind: bend_of({model.way: model})})
        setting = choose_setting(estimates, fps, margin_pct).chosen.setting if estimates else work.fastest
        lived = _lived(work, setting, first, shown, profile, fps)
        return {"policy": [(1.0, setting)], "first": next(lived), "later": list(lived)[-1]}

    return choose, not estimates


def _lived(
    work: WorkModel, setting: Setting, gesture: Measured, shown: dict[Setting, FrameEstimate],
    profile: SocProfile, fps: float,
) -> Iterator[Parts]:  # fmt: skip
    """Yield what the live governor gives the page's gestures, the first from ``setting`` on."""
    kind, speed = gesture.kind, gesture.speed

    def capacity(held: Setting) -> float:
        return profile.capacity(held.cluster, held.freq_khz) / FULL_CAPACITY

    def used(held: Setting) -> float:
        return shown[held].busy * capacity(held)

    weighed = setting
    if shown[setting].busy < SPARE:
        work.weigh(kind, speed, used(setting))
        weighed = work.choose(kind, speed, fps).setting
    parts: Parts = [(_WEIGHED, setting), (1 - _WEIGHED, weighed)]
    yield parts
    for _ in range(_GESTURES):
        seen_fps = _over(parts, lambda held: shown[held].fps)
        work_ms = 1000 * _over(parts, used) / seen_fps
        work.learn(kind, speed, capacity=_over(parts, capacity), fps=seen_fps, work_ms=work_ms)
        parts = [(1.0, work.choose(kind, speed, fps).setting)]
        yield parts


def _over(parts: Parts, value: Callable[[Setting], float]) -> float:
    """Return the mean of a value over a gesture."""
    return sum(share * value(setting) for share, setting in parts)


def _ours(truth: PageTruth, made: dict[str, WebOutcome], choose: Choose, fps: float) -> dict[str, WebOutcome]:
    """Return what becomes of ours, and of ours that must show no more than a baseline where that misses."""
    shown = {each.setting: each for each in truth.estimates}
    found = {name: _outcome_of(shown, parts, fps) for name, parts in choose(fps).items()}
    for name in _BASELINES:
        asked_fps = min(fps, made[name].fps / HELD_SHARE)
        alike = choose(asked_fps) if made[name].misses else {}
        found |= {_like(ours, name): _outcome_of(shown, each, asked_fps) for ours, each in alike.items()}
    return found


def _outcome_of(shown: dict[Setting, FrameEstimate], parts: Parts, fps: float) -> WebOutcome:
    shown_fps = _over(parts, lambda held: shown[held].fps)
    mean_mw = _over(parts, lambda held: outcome_of(shown[held], fps).mean_mw)
    return WebOutcome(shown_fps, mean_mw, shown_fps < HELD_SHARE * fps)


def _like(ours: str, name: str) -> str:
    return f"{ours} like {name}"


def _row(
    target: str, kind: str, part: str, fps: float, name: str, made: Sequence[dict[str, WebOutcome]]
) -> dict[str, Any]:
    mine = [each[name] for each in made]
    ceiling = sum(each["interactive"].mean_mw - each["best"].mean_mw for each in made)
    saved = sum(each["interactive"].mean_mw - _as_held(each, name, fps) for each in made)
    row: dict[str, Any] = {
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
        "oracle_share_pct": 100 * saved / ceiling if ceiling > 0 else None,
    }
    for ours in _OURS:
        row |= _savings(ours, name, made)
    return row


def _savings(ours: str, name: str, made: Sequence[dict[str, WebOutcome]]) -> dict[str, float]:
    """Return what ours save against ``name``: over the gesture, of a frame, and at equal misses."""
    mine, theirs = [each[ours] for each in made], [each[name] for each in made]
    alike = [each.get(_like(ours, name), each[ours]) for each in made]
    ratios = {
        "saved_pct": [a.mean_mw / b.mean_mw for a, b in zip(mine, theirs, strict=True)],
        "saved_equal_frames_pct": [a.frame_mj / b.frame_mj for a, b in zip(mine, theirs, strict=True)],
        "saved_equal_misses_pct": [a.mean_mw / b.mean_mw for a, b in zip(alike, theirs, strict=True)],
    }
    return {_OURS[ours] + what: 100 * float(1 - np.exp(np.log(each).mean())) for what, each in ratios.items()}


def _as_held(made: dict[str, WebOutcome], name: str, target_fps: float) -> float:
    """Return a mean power; what was saved by missing frames that the best shows does not count."""
    mine, best = made[name].mean_mw, made["best"].mean_mw
    return max(mine, best) if _is_avoidable(made[name], made, target_fps) else mine


def _is_avoidable(mine: WebOutcome, made: dict[str, WebOutcome], target_fps: float) -> bool:
    """Return whether a gesture misses what the fastest clock would have shown of the target."""
    return mine.fps < HELD_SHARE * min(target_fps, made["performance"].fps)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
