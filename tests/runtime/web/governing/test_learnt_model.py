"""A page's first gesture by what was learnt of others; the second by its own."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from runtime.device.soc import load_profile
from runtime.errors import NotFittedError
from runtime.govern.governor.tables import capacity_rows
from runtime.targets.target import settings_of
from runtime.web.governing import learnt_model
from runtime.web.governing.learnt_model import LearntModel
from runtime.web.learning.choice import FrameEstimate

PROFILE = load_profile("exynos5422")
ROWS = capacity_rows(PROFILE, lambda setting: None, settings_of(PROFILE, (1,))).rows


FITTED = SimpleNamespace(
    clusters=("big", "little"), frames=SimpleNamespace(curve_=SimpleNamespace(sharpness=6.0, ceiling=1.0))
)


@pytest.fixture
def learnt(monkeypatch):
    """A model whose predictors know scrolls of pages below 1000 nodes: a frame takes 1 ms per 100 of them."""

    def load(folder, target, kind):
        if kind == "fling":
            raise NotFittedError(f"{folder} has no predictor of {kind} on {target}")
        return None, {"unrun": FITTED}

    def estimates(model, page, gesture, offer):
        work_ms = page.features["nodes"] / 100
        if work_ms > 10 or gesture.speed > 5000:
            raise ValueError("it is unlike all pages that were learnt from: nodes")
        shown = [min(refresh_hz, share * 1e3 / work_ms) for share, refresh_hz, _ in offer.columns]
        return [
            FrameEstimate(setting, fps, 0.9 * fps, fps, 0.5, None)
            for setting, fps in zip(offer.settings, shown, strict=True)
        ]

    monkeypatch.setattr(learnt_model, "load_web_fit", load)
    monkeypatch.setattr(learnt_model, "frame_estimates", estimates)
    monkeypatch.setattr(learnt_model, "way_of", lambda page, models: models["unrun"])
    messages = []
    model = LearntModel(ROWS, "web-fit", "emulated:exynos5422", PROFILE, on_message=messages.append)
    model.messages = messages
    return model


def test_the_first_gesture_of_a_page_is_predicted_by_its_features(learnt):
    learnt.begin_page({"nodes": 100.0})
    light = learnt.choose("scroll", 1800.0, 60.0)
    learnt.begin_page({"nodes": 900.0})
    heavy = learnt.choose("scroll", 1800.0, 60.0)
    assert light.capacity < heavy.capacity
    assert ROWS[light.row].setting == light.setting
    assert learnt.messages == []


def test_from_the_second_on_its_own_frames_count(learnt):
    learnt.begin_page({"nodes": 100.0})
    light = learnt.choose("scroll", 1800.0, 60.0)
    learnt.learn("scroll", 1800.0, capacity=light.capacity, fps=20.0, work_ms=1.0)
    assert learnt.choose("scroll", 1800.0, 60.0).capacity > 2 * light.capacity
    learnt.begin_page({"nodes": 100.0})  # another page
    assert learnt.choose("scroll", 1800.0, 60.0) == light


def test_a_page_unlike_all_others_begins_at_the_fastest_and_a_kind_nobody_learnt_as_the_mean_page(learnt):
    learnt.begin_page({"nodes": 5000.0})
    assert learnt.messages == [
        f"{kind} of this page is not predicted: it is unlike all pages that were learnt from: nodes"
        for kind in ("scroll", "pinch")
    ]
    plain = super(LearntModel, learnt)
    assert learnt.choose("scroll", 1800.0, 30.0).setting == learnt.fastest
    learnt.learn("scroll", 1800.0, capacity=1.0, fps=60.0, work_ms=4.0)
    assert learnt.choose("scroll", 1800.0, 30.0) == plain.choose("scroll", 1800.0, 30.0)
    learnt.begin_page({"nodes": 100.0})
    assert learnt.choose("fling", 3000.0, 60.0) == plain.choose("fling", 3000.0, 60.0)


def test_a_pinch_is_predicted_though_no_speed_is_read_of_it(learnt):
    learnt.begin_page({"nodes": 100.0})
    light = learnt.choose("pinch", 0.0, 60.0)
    learnt.begin_page({"nodes": 900.0})
    assert light.capacity < learnt.choose("pinch", 0.0, 60.0).capacity


def test_a_bound_far_below_its_prediction_costs_a_faster_clock(learnt, monkeypatch):
    learnt.begin_page({"nodes": 300.0})
    sure = learnt.choose("scroll", 1800.0, 30.0)
    real = learnt_model.frame_estimates
    wide = lambda *given: [replace(each, low_fps=0.5 * each.fps) for each in real(*given)]  # noqa: E731
    monkeypatch.setattr(learnt_model, "frame_estimates", wide)
    learnt.begin_page({"nodes": 300.0})
    unsure = learnt.choose("scroll", 1800.0, 30.0)
    assert unsure.capacity > sure.capacity
    assert unsure.fps > sure.fps >= 30.0


def test_a_target_that_nothing_was_learnt_on_is_said(tmp_path):
    with pytest.raises(NotFittedError, match="fit again: edgekit fit --kind web"):
        LearntModel(ROWS, tmp_path, "emulated:gs101", PROFILE)
