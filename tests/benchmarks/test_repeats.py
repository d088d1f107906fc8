import pytest

from tests.benchmarks._repeats import abba, rows_of


def block(energy_mj, late=0):
    return {
        "frames": 100, "late": late, "energy_mj": energy_mj, "timed_mj": energy_mj, "idle_mw": 5.0,
        "latency_ms": 10.0, "changes": 2,
    }  # fmt: skip


def test_drift_falls_on_all_alike():
    order = list(abba("abc", 4))
    assert order == list("abccbaabccba")
    places = {name: sum(index for index, each in enumerate(order) if each == name) for name in "abc"}
    assert len(set(places.values())) == 1


def test_governors_are_compared_within_their_pass():
    drift = (1.0, 1.1, 1.3)  # of the machine: as large for both
    rows = rows_of(
        {"edgekit": [block(0.9 * d, late=1) for d in drift], "schedutil": [block(d) for d in drift]}
    )
    ours, theirs = rows
    assert (ours["frames"], ours["late_pct"], ours["above_pct"]) == (300, 1.0, None)
    assert theirs["above_pct"] == pytest.approx(-10)
    assert theirs["above_off_pct"] == pytest.approx(0, abs=1e-9)
    assert theirs["spread_pct"] == pytest.approx(100 * 0.3 / (3.4 / 3))
    assert theirs["energy_off_pct"] > 10


def test_what_differs_from_pass_to_pass_is_in_the_interval():
    rows = rows_of({"edgekit": [block(1.0), block(1.2)], "schedutil": [block(1.0), block(1.0)]})
    assert rows[1]["above_off_pct"] > 20


def test_one_block_has_no_interval():
    [row] = rows_of({"edgekit": [block(1.0)]})
    assert row["energy_off_pct"] is None
