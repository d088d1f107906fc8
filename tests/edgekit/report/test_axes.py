"""Axes, labels and units: small arithmetic that a wrong report would hide in."""

import numpy as np
import pytest

from edgekit.report import units
from edgekit.report.axes import make_axis
from edgekit.report.facts import changes, lookup, number, provenance
from edgekit.report.labels import Box, place_label
from edgekit.report.ops import shares_by_kind
from runtime.bundle import Manifest
from runtime.bundle.workload import Op, Workload
from runtime.device.setting import Setting
from runtime.device.soc import load_profile, modelled_latency_ms


def test_wide_ranges_are_logarithmic_with_round_ticks():
    axis = make_axis([1.0, 100.0], 0.0, 300.0)
    assert axis.is_log
    assert axis.place(10.0) == pytest.approx(150.0)
    assert {1.0, 10.0, 100.0} <= {round(tick, 9) for tick in axis.ticks}


def test_narrow_ranges_are_linear():
    axis = make_axis([20.0, 30.0], 100.0, 0.0)
    assert not axis.is_log
    assert axis.place(25.0) == pytest.approx(50.0)
    assert axis.place(30.0) < axis.place(20.0)  # upwards, as in SVG
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [1e-9, 1e9], [3.0, 3.0001]])
def test_every_range_has_an_axis_with_few_ticks(values):
    axis = make_axis(values, 0.0, 100.0, most_ticks=6)
    assert axis.low < axis.high
    assert len(axis.ticks) <= 7
    assert all(0.0 <= axis.place(value) <= 100.0 for value in values)


@pytest.mark.parametrize("values", [[], [0.0, 1.0], [-1.0]])
def test_axis_needs_positive_figures(values):
    with pytest.raises(ValueError, match="all positive"):
        make_axis(values, 0.0, 1.0)


def test_label_keeps_inside_and_off_what_is_taken():
    frame = Box(0, 0, 200, 100)
    first = place_label("performance", 195, 50, frame, [], np.array([(195, 50)]))
    assert first.box.overlap(frame) == pytest.approx((first.box.right - first.box.left) * 15)
    second = place_label("performance", 195, 50, frame, [first.box], np.array([(195, 50)]))
    assert second.box.overlap(first.box) == 0


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (units.milliseconds, 28.94, "28.9 ms"),
        (units.milliseconds, 3.0, "3.00 ms"),
        (units.milliseconds, None, "–"),
        (units.millijoules, 0.04567, "0.0457 mJ"),
        (units.milliwatts, 1234.5, "1234 mW"),
        (units.percent, 98.06, "98.1 %"),
        (units.percent, 100.0, "100 %"),
        (units.quantity, 3_504_872, "3.50 M"),
        (units.quantity, 999, "999"),
        (units.size, 240_000, "240 kB"),
        (units.size, 14, "14 B"),
        (units.short, 30.0, "30"),
    ],
)
def test_figures_carry_their_unit(form, value, text):
    assert form(value) == text


def test_lookup_prefers_the_outer_level():
    source = {"a": {"top1": 0.5, "b": {"top1": 0.1}}, "c": {"test_top1": True}}
    assert lookup(source, "top1") == 0.5
    assert number(source, "test_top1") is None  # a yes is not a figure
    assert lookup(source, "nothing") is None


def test_changes_need_both_sides():
    before_and_after = {"pruning": {"before": {"macs": 10, "note": "x"}, "after": {"macs": 4}}}
    (change,) = changes(before_and_after)
    assert (change.name, change.change_pct) == ("macs", 60.0)
    assert changes({"pruning": {"before": {"macs": 10}}}) == []
    assert changes({"pruning": "none"}) == []


def test_provenance_is_flat_and_bounded():
    source = {"a": {"b": [1, 2]}, "long": "x" * 999} | {f"k{i}": i for i in range(99)}
    manifest = Manifest("m", "now", {}, (), source=source)
    facts = {fact.name: fact.value for fact in provenance(manifest)}
    assert facts["a.b"] == "1, 2"
    assert len(facts["long"]) < 210
    assert len(facts) == 81
    assert facts["and"].endswith("more in manifest.json")


def test_shares_add_up_to_the_frame():
    ops = Workload((Op("a", "conv2d", 9_000_000, 10_000, 10_000), Op("b", "elementwise", 1000, 4000, 4000)))
    profile, setting = load_profile("gs101"), Setting("big", 1_277_000)
    shares, is_latency = shares_by_kind(ops, "fp32", profile, setting)
    assert is_latency
    assert [share.kind for share in shares] == ["conv2d", "elementwise"]
    assert sum(share.share for share in shares) == pytest.approx(1.0)
    assert sum(share.value for share in shares) == pytest.approx(modelled_latency_ms(ops, profile, setting))


def test_without_a_profile_the_shares_are_of_the_work():
    ops = Workload((Op("a", "conv2d", 75, 1, 1), Op("b", "linear", 25, 1, 1)))
    shares, is_latency = shares_by_kind(ops, "fp32", None, None)
    assert not is_latency
    assert [(share.kind, share.share) for share in shares] == [("conv2d", 0.75), ("linear", 0.25)]
