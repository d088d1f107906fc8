"""A against B from records: what matches, how sure the change is, and the gate."""

from dataclasses import replace

import numpy as np
import pytest

from runtime.device.conditions import Conditions
from runtime.device.setting import Setting
from runtime.errors import DataError, RegressionError, UnreliableResult
from runtime.measure.compare import check_slowdown, compare
from tests.runtime.measure.toy_records import RECORD, blocks_of

CLOCK = Setting("big", 2_000_000)


def test_a_clear_change_either_way():
    a, b = blocks_of(10.0), blocks_of(11.0, seed=1)
    [slower] = compare(a, b)
    assert (slower.verdict, slower.blocks) == ("slower", (5, 5))
    assert slower.ratio == pytest.approx(1.1, abs=0.01)
    assert slower.interval.low < slower.ratio < slower.interval.high
    assert slower.change.startswith("+")
    assert slower.change.endswith(")")
    [faster] = compare(b, a)
    assert faster.verdict == "faster"
    assert faster.ratio == pytest.approx(1 / slower.ratio)


def test_the_same_is_no_difference_and_noise_cannot_be_told():
    [same] = compare(blocks_of(10.0), blocks_of(10.0, seed=1))
    assert same.verdict == "no difference"
    [noisy] = compare(blocks_of(10.0, noise=0.1), blocks_of(10.0, noise=0.1, seed=1))
    assert noisy.verdict == "cannot tell"
    assert "--blocks" in noisy.advice[0]


def test_blocks_that_ran_side_by_side_are_paired_and_drift_cancels():
    drift = np.linspace(1.0, 1.5, 5)
    a = [replace(r, samples_ms=(10.0 * d,) * 9) for r, d in zip(blocks_of(1.0, run="r"), drift, strict=True)]
    b = [replace(r, samples_ms=(10.3 * d,) * 9) for r, d in zip(blocks_of(1.0, run="r"), drift, strict=True)]
    [paired] = compare(a, b)
    assert (paired.verdict, paired.reasons) == ("slower", ("5 pairs of blocks",))
    [apart] = compare(a, [replace(record, run="s") for record in b])
    assert apart.verdict == "cannot tell"


def test_unstable_blocks_take_no_part():
    a, b = blocks_of(10.0), blocks_of(10.0, seed=1)
    b[2] = replace(b[2], samples_ms=(50.0,) * 9, verdict="unstable", reasons=("hot",))
    [difference] = compare(a, b)
    assert (difference.verdict, difference.blocks) == ("no difference", (5, 4))
    hot = [replace(record, verdict="unstable", reasons=("hot",), advice=("cool it",)) for record in b]
    [unsure] = compare(a, hot)
    assert (unsure.verdict, unsure.advice) == ("cannot tell", ("cool it",))
    assert unsure.reasons == ("0 of 5 blocks of B are stable, 2 are needed: hot",)


def test_one_block_is_not_enough():
    [difference] = compare(blocks_of(10.0, n=1), blocks_of(12.0, n=1))
    assert (difference.verdict, difference.interval) == ("cannot tell", None)
    assert difference.change == "+20.0 %"


def test_a_machine_that_was_slower_is_not_taken_for_a_slower_bundle():
    quick, slow = (Conditions(0.0, probe_ms=ms) for ms in (1.0, 1.2))
    facts = {"device": {"name": "x"}}
    a = blocks_of(10.0, before=quick, after=quick, **facts)
    b = blocks_of(12.0, before=slow, after=slow, **facts)
    [difference] = compare(a, b)
    assert difference.verdict == "cannot tell"
    assert "the machine itself was 20% slower at a fixed task when B was measured" in difference.reasons[0]
    elsewhere = [replace(record, target="ssh:y", device={"name": "y"}) for record in b]
    assert compare(a, elsewhere)[0].verdict == "slower"  # another device may well be slower


def test_machines_that_share_a_name_are_not_mixed():
    a, b = (blocks_of(10.0, device={"name": name, "soc": "BCM2711"}) for name in ("Pi 4", "laptop"))
    named = r"of local are of 2 machines: of Pi 4 \(BCM2711\): 5 blocks, .* and of laptop \(BCM2711\): 5"
    with pytest.raises(DataError, match=named + ".*`edgekit bench --again`"):
        compare(a + b, a)
    with pytest.raises(DataError, match=named + ".*compare the two in one run on one machine"):
        compare(a, b)
    [difference] = compare(a + blocks_of(20.0, device={}, seed=9), a)  # of who knows where
    assert (difference.a_ms, difference.blocks) == (difference.b_ms, (5, 5))


def test_an_upgrade_between_two_sides_is_said_and_within_one_the_newest_counts():
    old, new = ({"device": {"name": "Pi", "kernel": k}, "versions": {"engine": k}} for k in ("1", "2"))
    a = blocks_of(30.0, seed=1, **old) + blocks_of(10.0, **new)
    [difference] = compare(a, blocks_of(5.0, **new))
    assert (difference.verdict, difference.blocks) == ("faster", (5, 5))
    assert difference.reasons == ("5 and 5 blocks, apart",)
    [difference] = compare(blocks_of(10.0, **old), blocks_of(5.0, **new))
    assert difference.reasons[-1] == "A ran on 1, 1, B on 2, 2"


def test_energy_is_compared_where_both_have_it():
    facts = {"energy_source": "measured: INA", "power_mw": 100.0}
    a = [replace(r, energy_mj=r.latency_ms * 0.1, **facts) for r in blocks_of(10.0)]
    b = [replace(r, energy_mj=r.latency_ms * 0.2, **facts) for r in blocks_of(10.0, seed=1)]
    [difference] = compare(a, b)
    assert difference.energy_ratio == pytest.approx(2.0, abs=0.02)
    assert difference.energy_change.startswith("+")
    modelled = [replace(r, energy_source="modelled: table") for r in b]
    assert compare(a, modelled)[0].energy_ratio is None


def test_energies_of_unlike_bases_are_not_compared():
    a = [
        replace(r, energy_mj=1.0, energy_source="measured: x", energy_basis="net at the rail")
        for r in blocks_of(10.0)
    ]
    b = [replace(r, energy_basis="gross at the battery") for r in a]
    [difference] = compare(a, b)
    assert difference.energy_ratio is None
    assert difference.reasons[-1].endswith("unlike bases: net at the rail, gross at the battery")
    assert compare(a, [replace(r, energy_basis=None) for r in a])[0].energy_ratio == 1.0  # an older record


def test_modelled_records_are_exact():
    a = [replace(RECORD, provenance="modelled", samples_ms=(10.0,))]
    b = [replace(RECORD, provenance="modelled", samples_ms=(12.0,))]
    [difference] = compare(a, b)
    assert (difference.verdict, difference.change) == ("slower", "+20.0 %")
    assert compare(a, a)[0].verdict == "no difference"


def test_what_matches():
    fast = Setting("big", 2_400_000)
    a = blocks_of(10.0) + blocks_of(8.0, setting=fast) + blocks_of(9.0, variant="litert-int8")
    b = blocks_of(10.0) + blocks_of(8.0, setting=fast) + blocks_of(20.0, fps_target=30.0)
    assert [(d.variant, d.setting) for d in compare(a, b)] == [("litert-fp32", fast), ("litert-fp32", CLOCK)]
    [across] = compare(blocks_of(10.0), blocks_of(5.0, variant="litert-int8"))
    assert (across.variant, across.verdict) == ("litert-fp32 -> litert-int8", "faster")


def test_only_the_newest_file_and_the_newest_blocks_count():
    old = blocks_of(20.0, model_sha256="1" * 64)
    tries = [replace(RECORD, samples_ms=(30.0,) * 9, verdict="unstable"), *blocks_of(10.0)]
    [difference] = compare(old + tries, blocks_of(10.0, seed=1))
    assert (difference.verdict, difference.blocks) == ("no difference", (5, 5))


def test_nothing_in_common():
    with pytest.raises(
        ValueError, match="nothing to compare: A has litert-fp32 big @ 2000 MHz x1; B has litert"
    ):
        compare(blocks_of(10.0), blocks_of(10.0, setting=Setting("little", None)))
    with pytest.raises(ValueError, match="A has records of local, phone; choose one with --target"):
        compare(blocks_of(10.0) + blocks_of(10.0, target="phone"), blocks_of(10.0))


def test_the_gate_passes_only_what_is_shown():
    a = blocks_of(10.0, n=10)
    check_slowdown(compare(a, blocks_of(10.1, n=10, seed=1)), 0.05)
    check_slowdown(compare(a, blocks_of(9.0, n=10, seed=1)), 0.0)
    with pytest.raises(RegressionError, match=r"slower by more than the 5.0% allowed: litert-fp32 big"):
        check_slowdown(compare(a, blocks_of(11.0, n=10, seed=1)), 0.05)
    with pytest.raises(UnreliableResult, match="is unknown whether"):
        check_slowdown(compare(a, blocks_of(10.45, n=10, noise=0.02, seed=1)), 0.05)
    assert RegressionError.exit_code == UnreliableResult.exit_code == 3
