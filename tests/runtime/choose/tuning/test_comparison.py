"""Governors are judged by when a frame must be done, not by when the next one comes."""

from dataclasses import replace

import pytest

from runtime.choose.tuning.request import PolicyRequest
from runtime.choose.tuning.savings import explain_savings
from runtime.choose.tuning.tune import tune_bundle
from tests.runtime.phone import Phone, make_bundle, make_records


@pytest.fixture
def tuned(tmp_path):
    """Return a function that tunes for a request; every setting was benched."""
    bundle, target = make_bundle(tmp_path), Phone()
    records = make_records(bundle, target)
    return lambda **request: tune_bundle(bundle, target, PolicyRequest(**request), records=records)[1]


def rows_of(policy):
    return {outcome.governor: outcome for outcome in policy.comparison}


def test_a_rival_that_misses_the_deadline_is_marked_though_it_keeps_the_period(tuned):
    policy = tuned(fps=20, latency_ms=9)
    rows = rows_of(policy)
    slow = [name for name, outcome in rows.items() if outcome.latency_ms > 9]
    assert {"powersave", "schedutil", "eas"} <= set(slow)
    assert all(rows[name].fps == pytest.approx(20) for name in slow)  # they keep the pace
    for name in slow:
        assert rows[name].late_frames == rows[name].frames
    assert rows["ondemand"].latency_ms < 9  # every second frame
    assert rows["ondemand"].late_frames == rows["ondemand"].frames / 2
    assert {name for name, o in rows.items() if o.misses_deadline} == {*slow, "ondemand"}
    assert not rows["policy"].misses_deadline
    assert not rows["best"].misses_deadline


def test_a_paper_governor_is_told_the_deadline_and_meets_it(tuned):
    patient, hasty = (rows_of(tuned(fps=20, **asked))["ebs"] for asked in ({}, {"latency_ms": 9}))
    assert hasty.latency_ms <= 9 < patient.latency_ms
    assert not hasty.misses_deadline


def test_head_room_on_the_pace_makes_no_frame_late(tuned):
    policy = tuned(fps=60, margin_pct=20)
    assert policy.deadline_ms == policy.goal.period_ms == pytest.approx(1000 / 60)
    assert policy.chosen.latency_high_ms <= policy.goal.latency_limit_ms == pytest.approx(1000 / 72)
    slow = [o for o in policy.comparison if 1000 / 72 < o.latency_ms <= 1000 / 60]
    assert slow
    assert not any(outcome.misses_deadline for outcome in slow)


def test_nothing_is_saved_against_a_rival_that_misses_the_deadline(tuned):
    policy = tuned(fps=20, latency_ms=9)
    assert explain_savings(policy) == (
        "EAS + schedutil misses the deadline of 9 ms in 240 of 240 frames. "
        "The policy takes as little as the exhaustive best."
    )


def test_savings_are_told_against_what_phones_ship_with(tuned):
    policy = tuned(fps=60)
    base = rows_of(policy)["eas"]
    text = explain_savings(policy)
    assert text.startswith(f"Saves {base.saved_pct:.0f} % against EAS + schedutil.")
    assert "performance" not in text
    others = tuple(replace(o, saved_pct=-20.0) for o in policy.comparison)
    text = explain_savings(replace(policy, comparison=others))
    assert text.startswith("Takes 20 % more energy than EAS + schedutil. The policy takes 20 % more than the")


def test_a_policy_that_misses_the_deadline_itself_claims_nothing(tuned):
    policy = tuned(fps=20, latency_ms=1)
    assert rows_of(policy)["policy"].misses_deadline
    assert explain_savings(policy) == ""


def test_a_wide_bound_costs_only_until_frames_have_shown_what_they_take(tmp_path):
    """As of a modelled SoC that nobody has checked: governors settle, and so does ours."""
    bundle, target = make_bundle(tmp_path), Phone()
    wide = [
        replace(record, latency_low_ms=0.6 * record.latency_ms, latency_high_ms=1.87 * record.latency_ms)
        for record in make_records(bundle, target)
    ]
    _, policy = tune_bundle(bundle, target, 60, records=wide)
    rows = rows_of(policy)
    held, governed, eas = (rows[name] for name in ("policy", "governed", "eas"))
    assert held.energy_mj > eas.energy_mj > governed.energy_mj
    assert not governed.misses_deadline
    assert any("so does edgekit govern: at" in note for note in policy.notes)
    said = explain_savings(policy)
    assert "more energy than EAS + schedutil. Settled under edgekit govern: saves" in said
