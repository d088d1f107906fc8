"""Plots as files: what they hold, that nothing of a bundle becomes markup, and that a PNG is one."""

from dataclasses import replace

import pytest

from edgekit.report import write_frontier
from edgekit.report.frontier import Point, frontier
from runtime.choose.policy.policy import load_policy
from runtime.errors import DataError
from tests.edgekit.report.markup import EVIL, drawn
from tests.edgekit.report.tuned_bundle import TARGET


@pytest.fixture
def policy(tuned):
    return load_policy(tuned, TARGET)


def point(fps, cost):
    return Point("big", "v", "l", fps, cost, "")


def test_frontier_leaves_out_what_another_point_beats_in_both():
    points = [point(10, 5), point(20, 6), point(15, 7), point(30, 9), point(30, 8), point(5, 5)]
    assert [(p.fps, p.cost) for p in frontier(points)] == [(10, 5), (20, 6), (30, 8)]
    assert frontier([]) == []


def test_picture_says_what_was_chosen_for_what_and_what_it_saves(policy, tmp_path):
    tags, texts = drawn(write_frontier(policy, tmp_path / "plot.svg"))
    text = " ".join(texts)
    assert policy.reason.partition(". ")[0] in text
    for part in (
        f"{policy.model} on {TARGET}",
        "30 FPS asked",
        "against EAS + schedutil",
        "Latency modelled",
        policy.energy_source[:20],
        *(cluster.setting.cluster for cluster in policy.considered),
    ):
        assert part in text
    assert any(name.startswith("chosen") for name in texts)
    assert tags.count("circle") + tags.count("polygon") > len(policy.considered)


def test_governors_at_one_place_share_a_name(policy, tmp_path):
    fast = next(o for o in policy.comparison if o.governor == "performance")
    twins = tuple(replace(fast, governor=name) for name in ("ebs", "best"))
    _, texts = drawn(write_frontier(replace(policy, comparison=twins), tmp_path / "plot.svg"))
    assert "exhaustive best, EBS" in texts


def test_no_variable_is_left_that_only_a_browser_knows(policy, tmp_path):
    assert "var(" not in write_frontier(policy, tmp_path / "plot.svg").read_text(encoding="utf-8")


def test_names_of_a_bundle_stay_text(policy, tmp_path):
    chosen = replace(policy.chosen, setting=replace(policy.setting, cluster=EVIL))
    considered = tuple(replace(e, setting=replace(e.setting, cluster=EVIL)) for e in policy.considered)
    evil = replace(policy, model=EVIL, reason=EVIL, energy_source=EVIL, chosen=chosen, considered=considered)
    tags, texts = drawn(write_frontier(evil, tmp_path / "plot.svg"))
    assert "script" not in tags
    assert any(EVIL in text for text in texts)


def test_png_is_a_picture_with_text_in_it(policy, tmp_path):
    pytest.importorskip("resvg_py", reason="draws the PNG; pip install -e '.[report]'")
    image = pytest.importorskip("PIL.Image").open(write_frontier(policy, tmp_path / "plot.png")).convert("L")
    assert image.width > 1500
    title = image.crop((0, 30, image.width, 90))
    assert title.getextrema()[0] < 60  # dark letters, drawn with the font that came along


def test_plot_without_power_goes_by_core_time(policy, tmp_path):
    considered = tuple(replace(e, power_mw=None, energy_mj=None) for e in policy.considered)
    dark = replace(policy, considered=considered, chosen=considered[0], comparison=())
    _, texts = drawn(write_frontier(dark, tmp_path / "plot.svg"))
    assert "core time, ms (no energy known)" in texts


def test_what_cannot_be_drawn_is_refused(policy, tmp_path):
    with pytest.raises(ValueError, match=r"'plot\.pdf' is no name of a plot; end it with \.png or \.svg"):
        write_frontier(policy, tmp_path / "plot.pdf")
    with pytest.raises(ValueError, match="considered no setting"):
        write_frontier(replace(policy, considered=()), tmp_path / "plot.svg")
    with pytest.raises(DataError, match="must be a folder"):
        write_frontier(policy, tmp_path / "nowhere" / "plot.svg")
