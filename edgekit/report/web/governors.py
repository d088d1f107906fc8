"""What governors would make of the gestures measured, and what choosing by predictions saves against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.report.web.predicted import Fitted
from runtime.device.soc import SocProfile, setting_power
from runtime.web.learning.baselines import WebOutcome, outcome_of, outcomes
from runtime.web.learning.choice import Offer, PageState, choose_setting, frame_estimates
from runtime.web.learning.measured import profile_of
from runtime.web.learning.model import RUN, UNRUN, WayModel
from runtime.web.learning.pages import KnownPage
from runtime.web.learning.table import GestureTable
from runtime.web.learning.truth import known_settings, page_truth

_TITLES = {
    "policy": "predicted setting", "best": "best fixed setting", "interactive": "interactive (Android)",
    "schedutil": "schedutil", "eas": "EAS + schedutil", "ebs": "EBS (told the rate)",
}  # fmt: skip
_MOST_CASES = 20  # gestures on pages that are replayed: a second each for each rate


@dataclass(frozen=True)
class GovernorBar:
    """One governor, means over gestures on pages.

    Attributes:
        missed_pct: share of the gestures that fall below 95 % of the target.
        saved_pct: what the predicted setting saves against it; of itself 0.
    """

    title: str
    mean_mw: float
    fps: float
    missed_pct: float
    saved_pct: float
    is_policy: bool


@dataclass(frozen=True)
class Governors:
    """All governors at one frame rate on a target.

    Attributes:
        cases: gestures on pages that were replayed, of ``all_cases``.
        refused: that the predictors answer nothing for; they are left to EAS.
    """

    target: str
    kind: str
    fps_target: float
    cases: int
    all_cases: int
    refused: int
    bars: tuple[GovernorBar, ...]

    @property
    def highest_mw(self) -> float:
        return max(bar.mean_mw for bar in self.bars)


def governors_of(each: Fitted, known: dict[str, KnownPage], rates: Sequence[float]) -> list[Governors]:
    """Return what governors make of the gestures at each of ``rates``; nothing where no powers are known."""
    profile = profile_of(each.fit.target)
    way = next((way for way in (RUN, UNRUN) if way in each.models and each.usable(way).rows), None)
    if profile is None or way is None:
        return []
    table, model = each.usable(way), each.models[way]
    if any(setting_power(profile, setting) is None for setting in known_settings(table, profile)):
        return []
    cases = np.unique(table.case)
    shown = cases[:: -(-len(cases) // _MOST_CASES)]
    found: dict[float, list[dict[str, WebOutcome]]] = {fps: [] for fps in rates}
    refused = 0
    for case in shown:
        rows = table.select(table.case == case)
        made, is_refused = _outcomes(model, rows, profile, known, rates)
        for fps, outcome in zip(rates, made, strict=True):
            found[fps].append(outcome)
        refused += is_refused
    target, kind = each.fit.target, each.fit.kind
    return [
        Governors(target, kind, fps, len(shown), len(cases), refused, _bars(made))
        for fps, made in found.items()
        if made
    ]


def _outcomes(
    model: WayModel,
    rows: GestureTable,
    profile: SocProfile,
    known: dict[str, KnownPage],
    rates: Sequence[float],
) -> tuple[list[dict[str, WebOutcome]], bool]:
    """Return what becomes of a page's gesture at each of ``rates``, and whether the page is not predicted."""
    first, settings = rows.rows[0], known_settings(rows, profile)
    features = known.get(first.page, KnownPage(first.page)).features
    page = PageState(features, *rows.of_run()) if model.way == RUN else PageState(features)
    truth = page_truth(model, rows, settings, profile)
    made = outcomes(truth, profile, rates)
    try:
        offer = Offer.of(model, settings, profile, first.refresh_hz)
        estimates = frame_estimates(model, page, first, offer)
    except ValueError:  # the page is unlike all that was learnt from: it is left to the kernel
        return [each | {"policy": each["eas"]} for each in made], True
    shown = {each.setting: each for each in truth.estimates}
    chosen = [choose_setting(estimates, fps).chosen.setting for fps in rates]
    return [
        each | {"policy": outcome_of(shown[setting], fps)}
        for each, setting, fps in zip(made, chosen, rates, strict=True)
    ], False


def _bars(made: Sequence[dict[str, WebOutcome]]) -> tuple[GovernorBar, ...]:
    bars = []
    for name, title in _TITLES.items():
        mine = [each[name] for each in made]
        saved = [1 - each["policy"].mean_mw / each[name].mean_mw for each in made]
        bars.append(
            GovernorBar(
                title=title,
                mean_mw=float(np.mean([outcome.mean_mw for outcome in mine])),
                fps=float(np.mean([outcome.fps for outcome in mine])),
                missed_pct=100 * float(np.mean([outcome.misses for outcome in mine])),
                saved_pct=100 * float(np.mean(saved)),
                is_policy=name == "policy",
            )
        )
    return tuple(bars)
