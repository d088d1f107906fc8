"""Latency at a quantile, from samples; and where a tuner gets power."""

from dataclasses import replace

import pytest

from runtime.choose.fitting import fit_bundle
from runtime.choose.fitting.usable import benched_options
from runtime.choose.policy.estimate import Option
from runtime.choose.tuning.power_source import idle_mw, power_source
from runtime.choose.tuning.request import PolicyRequest
from runtime.choose.tuning.tail import at_quantile, tail_ratio
from runtime.choose.tuning.tune import tune_bundle
from runtime.device.meters.reading import EnergyReading
from tests.runtime.phone import Phone, make_bundle, make_records


@pytest.fixture
def benched(tmp_path):
    """A bundle with measured records, a real target that knows no power by itself."""
    bundle, target = make_bundle(tmp_path), Phone("local", "measured", knows_power=False)
    return bundle, target, make_records(bundle, target)


def test_quantile_of_a_record_is_that_of_its_samples(benched):
    record = replace(benched[2][0], samples_ms=tuple(float(n) for n in range(1, 102)))
    assert at_quantile(record, 0.95) == pytest.approx(96.0)
    assert tail_ratio([record], 0.95) == pytest.approx(96 / 51)


def test_samples_of_all_settings_are_pooled_relative_to_their_medians(benched):
    quick, slow = (replace(benched[2][0], samples_ms=(base,) * 19 + (2 * base,)) for base in (1.0, 50.0))
    assert tail_ratio([quick, slow], 0.9) == pytest.approx(1.0)
    assert tail_ratio([quick, slow], 0.96) == pytest.approx(2.0)


def test_too_few_samples_are_refused_with_how_many_it_takes(benched):
    with pytest.raises(
        ValueError, match=r"5 samples; 0.95 of frames needs at least 20: bench with more --runs"
    ):
        at_quantile(benched[2][0], 0.95)
    with pytest.raises(ValueError, match="the bench has 0 samples"):
        tail_ratio([], 0.95)


def test_higher_quantile_chooses_a_faster_setting(benched):
    bundle, _, records = benched
    target = Phone("local", "measured")
    heavy = [replace(r, samples_ms=(r.latency_ms,) * 90 + (1.6 * r.latency_ms,) * 10) for r in records]
    fast = {
        quantile: tune_bundle(bundle, target, PolicyRequest(fps=120, quantile=quantile), records=heavy)[1]
        for quantile in (0.8, 0.99)
    }
    assert fast[0.8].chosen.latency_ms > fast[0.99].chosen.latency_ms
    assert fast[0.99].chosen.latency_high_ms == pytest.approx(1.6 * fast[0.99].chosen.latency_ms)
    assert "for 99 % of frames" in fast[0.99].reason


def test_bound_of_a_prediction_is_stretched_by_the_spread_of_the_samples(benched):
    bundle, _, records = benched
    target = Phone("local", "measured")
    heavy = [replace(r, samples_ms=(r.latency_ms,) * 18 + (1.6 * r.latency_ms,) * 2) for r in records[::2]]
    bundle, _ = fit_bundle(bundle, target, heavy)
    _, plain = tune_bundle(bundle, target, PolicyRequest(fps=30), records=heavy)
    _, policy = tune_bundle(bundle, target, PolicyRequest(fps=30, quantile=0.95), records=heavy)
    for before, after in zip(plain.considered, policy.considered, strict=True):
        assert after.latency_high_ms == pytest.approx(1.6 * before.latency_high_ms)
        assert after.latency_ms == before.latency_ms
    assert "upper bounds are those of the median times 1.6, the spread of the samples" in policy.notes


# --- power -------------------------------------------------------------------------------------


def metered(record, gross_mw, idle):
    reading = EnergyReading(gross_mw * 2.0, 2.0, 10, "rapl", "measured", idle)
    return replace(record, power_mw=gross_mw, energy_mj=1.0, energy_source=reading.text, energy=reading)


def test_power_that_a_meter_read_counts_net_of_the_idle_machine(benched):
    bundle, target, records = benched
    options = benched_options(bundle, target, [metered(r, 900.0, 200.0) for r in records])
    figure = power_source(target, options)(next(iter(options)))
    assert figure.power_mw == pytest.approx(700.0)
    assert figure.source == "measured: rapl; net of the idle machine"
    assert idle_mw(options.values()) == 200.0


def test_power_without_an_idle_reading_is_gross_and_says_so(benched):
    bundle, target, records = benched
    options = benched_options(bundle, target, [metered(r, 900.0, None) for r in records])
    figure = power_source(target, options)(next(iter(options)))
    assert (figure.power_mw, figure.source) == (pytest.approx(900.0), "measured: rapl; gross")
    assert idle_mw(options.values()) is None


def test_table_of_the_target_goes_before_a_meter(benched):
    bundle, _, records = benched
    phone = Phone("local", "measured")
    options = benched_options(bundle, phone, [metered(r, 900.0, 200.0) for r in records])
    option = next(iter(options))
    assert power_source(phone, options)(option) == phone.power(option.setting)
    unknown = Option(option.variant, replace(option.setting, threads=2))
    assert power_source(Phone(knows_power=False), options)(unknown) is None


def test_clocks_that_were_not_metered_are_filled_in_by_the_rule_of_the_tables(benched):
    bundle, target, records = benched
    littles = [r for r in records if r.setting.cluster == "little"]
    metering = [metered(r, 200.0 + r.setting.freq_khz / 1e4, 200.0) for r in littles[2:9:3]]
    options = benched_options(bundle, target, metering)
    power = power_source(target, options)
    at = {r.setting.freq_khz: power(Option(r.variant, r.setting)) for r in littles}
    assert at[700_000].power_mw == pytest.approx(70.0)
    assert at[700_000].source.startswith("modelled: between 600 and 900 MHz of measured: ")
    assert at[400_000].power_mw == pytest.approx(40.0)  # twice the clock at twice the power
    assert at[1_600_000].source.startswith("modelled: above 1200 MHz of ")
    other_threads = Option(littles[0].variant, replace(littles[3].setting, threads=2))
    assert power(other_threads) is None


def test_metered_bench_tunes_for_energy_and_knows_the_base_power(benched):
    bundle, target, records = benched
    metering = [metered(r, 200.0 + r.setting.freq_khz / 1e4, 200.0) for r in records]
    _, policy = tune_bundle(
        bundle, target, PolicyRequest(fps=30, objective="race-to-sleep"), records=metering
    )
    assert policy.goal.base_mw == 200.0
    assert policy.provenance == "measured"
    assert "net of the idle machine" in policy.energy_source
    assert {o.governor for o in policy.comparison} > {"policy", "eas", "ebs", "best"}
