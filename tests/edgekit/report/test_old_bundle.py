"""A bundle that edgekit 0.1.0 made is reported, with its governed run."""

from edgekit.report.content import collect
from edgekit.report.render import render_report
from tests.runtime.made_by_0_1_0 import OLD, open_old_bundle


def test_all_of_an_old_bundle_is_collected(tmp_path):
    views = {view.name: view for view in collect(open_old_bundle(tmp_path)).targets}
    assert set(views) == {"virtual:rk3399", "virtual:kirin960"}
    tuned = views["virtual:rk3399"]
    assert (tuned.policy is None, tuned.fit is None, tuned.run is None) == (False, False, False)
    assert [(len(view.records), view.notes) for view in views.values()] == [(2, ()), (2, ())]
    assert (tuned.provenance, tuned.policy.energy_provenance) == ("modelled", "modelled")


def test_an_old_bundle_and_log_are_rendered(tmp_path):
    page = render_report(open_old_bundle(tmp_path), timelines=[OLD / "frames.jsonl"])
    assert "At 40 FPS on virtual:rk3399, <b>litert-fp32</b> on <b>little @ 816 MHz x1</b>" in page
    assert "Governed on emulated:rk3399" in page
