"""From records to a policy: the setting chosen, its company, and the file it is kept in."""

from dataclasses import replace

import msgspec
import pytest

from runtime.bundle.names import slug
from runtime.choose.fitting import fit_bundle
from runtime.choose.policy.policy import Policy, load_policy, save_policy
from runtime.choose.tuning.request import PolicyRequest
from runtime.choose.tuning.tune import tune_bundle
from runtime.device.setting import Setting
from runtime.device.soc import PowerFigure, modelled_latency_ms
from runtime.errors import BundleError, NotFittedError, VersionConflict
from tests.runtime.phone import (
    BIG,
    LITTLE,
    PROFILE,
    WORKLOAD,
    Phone,
    make_bundle,
    make_records,
    without_clocks,
)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    bundle, target = make_bundle(tmp_path_factory.mktemp("tune")), Phone()
    return fit_bundle(bundle, target, make_records(bundle, target))[0], target


def energy_mj(target, setting):
    return modelled_latency_ms(WORKLOAD, target.profile, setting) * target.power(setting).power_mw / 1000


def test_choice_is_close_to_the_best_that_trying_everything_finds(fitted):
    bundle, target = fitted
    for fps in (10, 30, 60, 100):
        _, policy = tune_bundle(bundle, target, fps)
        in_time = [
            s for s in target.settings() if modelled_latency_ms(WORKLOAD, target.profile, s) <= 1000 / fps
        ]
        least_mj = min(energy_mj(target, s) for s in in_time)
        assert policy.meets_target
        assert policy.setting in in_time
        assert least_mj <= energy_mj(target, policy.setting) <= 1.25 * least_mj


def test_policy_says_all_that_led_to_it(fitted):
    bundle, target = fitted
    _, policy = tune_bundle(bundle, target, PolicyRequest(fps=30, margin_pct=10))
    assert policy.deadline_ms == pytest.approx(1000 / 30)
    assert policy.chosen.latency_high_ms <= policy.goal.latency_limit_ms == pytest.approx(1000 / 33)
    assert policy.energy_mj == pytest.approx(policy.chosen.power_mw * policy.chosen.latency_ms / 1000)
    assert (policy.objective, policy.provenance, policy.confidence) == ("awake", "modelled", 0.9)
    assert policy.energy_source == "table of the test"
    assert "cross-validation" in policy.predictor
    assert len(policy.considered) == len(target.settings())
    assert str(policy.setting) in policy.reason


def test_comparison_has_the_governors_and_what_is_saved(fitted):
    bundle, target = fitted
    _, policy = tune_bundle(bundle, target, 30)
    rows = {outcome.governor: outcome for outcome in policy.comparison}
    kernel = ["performance", "powersave", "ondemand", "conservative", "interactive", "schedutil", "eas"]
    assert list(rows) == ["policy", "governed", *kernel, "ebs", "best"]
    assert rows["performance"].freq_low_khz == rows["performance"].freq_high_khz == 2_400_000
    assert rows["policy"].late_frames == rows["best"].late_frames == 0
    assert rows["policy"].energy_mj == pytest.approx(energy_mj(target, policy.setting))
    assert rows["best"].energy_mj <= 1.000001 * rows["policy"].energy_mj
    assert rows["policy"].energy_mj < rows["performance"].energy_mj
    saved_pct = 100 * (1 - rows["policy"].energy_mj / rows["performance"].energy_mj)
    assert rows["performance"].saved_pct == pytest.approx(saved_pct)
    assert rows["policy"].saved_pct == 0


def test_variants_of_several_graphs_are_not_weighed_against_each_other(tmp_path):
    bundle = make_bundle(tmp_path)
    first = bundle.manifest.variants[0]
    manifest = replace(
        bundle.manifest,
        graphs=bundle.manifest.graphs | {"decode": bundle.manifest.graphs[first.graph]},
        variants=(first, replace(first, name="decode-litert-fp32", graph="decode")),
    )
    with pytest.raises(ValueError, match=f"2 graphs.*choose.*--variant {first.name}$"):
        tune_bundle(replace(bundle, manifest=manifest), Phone(), 30)


def test_rate_that_nothing_meets_takes_the_fastest_and_says_so(fitted):
    bundle, target = fitted
    _, policy = tune_bundle(bundle, target, 1000)
    assert not policy.meets_target
    assert policy.setting == Setting("big", 2_400_000)
    assert policy.reason.startswith("No setting meets 1 ms")
    assert "no setting at all finishes a frame in 1 ms" in policy.notes
    assert "best" not in {outcome.governor for outcome in policy.comparison}


def test_policy_survives_the_bundle(fitted):
    bundle, target = fitted
    bundle, policy = tune_bundle(bundle, target, 30)
    assert load_policy(bundle, target.name) == policy


def test_settings_beyond_the_bench_are_left_out_and_named(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone()
    settings = [s for s in target.settings() if s.freq_khz < 2_000_000]
    bundle, _ = fit_bundle(bundle, target, make_records(bundle, target, settings=settings))
    _, policy = tune_bundle(bundle, target, 15)
    assert max(e.setting.freq_khz for e in policy.considered) == 1_900_000
    assert policy.notes == ("5 settings beyond what was benched were left out",)


def test_threads_and_variants_narrow_the_choice(tmp_path):
    bundle, target = make_bundle(tmp_path, variants=("litert-fp32", "executorch-fp32")), Phone()
    records = make_records(bundle, target, settings=target.settings((1, 2)))
    bundle, _ = fit_bundle(bundle, target, records)
    _, policy = tune_bundle(bundle, target, 30, threads=(2,), variants=("executorch-fp32",))
    assert {(e.variant, e.setting.threads) for e in policy.considered} == {("executorch-fp32", 2)}
    assert {outcome.threads for outcome in policy.comparison} == {2}
    _, policy = tune_bundle(bundle, target, 30)
    assert len({(e.variant, e.setting.threads) for e in policy.considered}) == 4


def test_choice_among_what_was_not_benched_is_refused(fitted):
    bundle, target = fitted
    with pytest.raises(ValueError, match="nothing that was asked for was benched"):
        tune_bundle(bundle, target, 30, threads=(2,))
    with pytest.raises(ValueError, match="unknown variant 'onnx'"):
        tune_bundle(bundle, target, 30, variants=("onnx",))


@pytest.mark.parametrize("arguments", [{"fps": 0}, {"fps": -1}, {"fps": 2000}, {"fps": 30, "margin_pct": -5}])
def test_rates_out_of_range_are_refused(fitted, arguments):
    bundle, target = fitted
    with pytest.raises(ValueError, match="allowed: fps above 0"):
        tune_bundle(bundle, target, PolicyRequest(**arguments))


def test_without_predictor_and_with_gaps_it_says_what_to_run(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone()
    with pytest.raises(NotFittedError, match="no predictor for virtual:toy"):
        tune_bundle(bundle, target, 30, records=make_records(bundle, target)[1:])


def test_records_do_when_every_setting_was_benched(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone("local", "measured")
    records = make_records(bundle, target)
    _, policy = tune_bundle(bundle, target, 30, records=records)
    assert policy.predictor == "the medians of the records"
    assert policy.provenance == "measured"
    assert "every setting was benched" in policy.notes[0]
    benched = {record.setting: record for record in records}
    assert policy.chosen.latency_ms == benched[policy.setting].latency_ms
    assert policy.chosen.latency_high_ms == benched[policy.setting].p90_ms
    assert f"compared over the {len(records)} settings benched" in policy.notes


def test_target_without_meter_goes_by_core_time(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone("local", "measured", knows_power=False)
    _, policy = tune_bundle(bundle, target, 30, records=make_records(bundle, target))
    assert policy.energy_mj is None
    assert policy.energy_source == "no meter on this machine"
    assert policy.energy_provenance is None
    assert "energy is not known here" in policy.reason
    assert {outcome.energy_mj for outcome in policy.comparison} == {None}


def test_target_without_clocks_chooses_threads_and_compares_with_nobody(tmp_path):
    target = Phone("local", "measured", profile=without_clocks(), knows_power=False)
    target.settings = lambda threads=(1,): tuple(Setting("big", None, n) for n in threads)
    bundle = make_bundle(tmp_path)
    template = make_records(bundle, Phone("local", "measured"), settings=[Setting("big", 1_000_000)])[0]
    records = [
        replace(template, setting=Setting("big", None, 1), samples_ms=(20.0,) * 5),
        replace(template, setting=Setting("big", None, 2), samples_ms=(12.0,) * 5),
    ]
    _, policy = tune_bundle(bundle, target, 60, records=records)
    assert policy.setting == Setting("big", None, 2)  # one thread needs 20 ms, 16.7 are there
    assert policy.comparison == ()
    assert "clocks cannot be set or read" in policy.notes[-1]


def test_runs_of_the_same_setting_are_pooled(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone("local", "measured")
    records = make_records(bundle, target)
    again = [replace(r, samples_ms=tuple(3 * s for s in r.samples_ms)) for r in records]
    _, once = tune_bundle(bundle, target, 15, records=records)
    _, twice = tune_bundle(bundle, target, 15, records=records + again)
    assert once.considered[0].latency_high_ms < twice.considered[0].latency_high_ms


def test_bundle_without_policy_says_what_to_run(tmp_path):
    with pytest.raises(NotFittedError, match=r"edgekit tune .* --target virtual:toy --fps 30"):
        load_policy(make_bundle(tmp_path), "virtual:toy")


def test_policy_of_another_model_file_is_refused(fitted, tmp_path):
    bundle, target = fitted
    _, policy = tune_bundle(bundle, target, 30)
    changed = bundle.add("litert-fp32.bin", b"exported again", "model")
    save_policy(changed, policy)
    with pytest.raises(BundleError, match=r"another model file.*tune again: edgekit tune .* --fps 30"):
        load_policy(changed, target.name)
    bundle.add("litert-fp32.bin", b"litert-fp32", "model")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"schema_version": 9}, VersionConflict, "upgrade edgekit"),
        ({"schema_version": 1}, VersionConflict, "older edgekit.*tune again: edgekit tune .* --target"),
        ({"goal": {"objective": "sleep", "fps_target": 30, "deadline_ms": 33}}, BundleError, "'sleep'"),
        ({"chosen": None}, BundleError, "does not fit its schema"),
    ],
)
def test_policy_file_that_does_not_fit_is_refused(tmp_path, change, error, message):
    bundle, target = make_bundle(tmp_path), Phone()
    bundle, policy = tune_bundle(bundle, target, 30, records=make_records(bundle, target))
    raw = msgspec.to_builtins(policy) | change
    bundle = bundle.add("policies/virtual-toy.json", msgspec.json.encode(raw), "policy")
    with pytest.raises(error, match=message):
        load_policy(bundle, target.name)


def test_file_names_hold_no_colon_or_slash():
    assert slug("virtual:sdm845") == "virtual-sdm845"
    assert slug("virtual:my/soc.toml") == "virtual-my-soc.toml"


def test_policy_is_plain_data():
    assert msgspec.json.schema(Policy)["$ref"] == "#/$defs/Policy"


def test_settings_of_unknown_power_rank_last_and_are_counted(tmp_path):
    little = replace(LITTLE, opps=tuple(replace(opp, power_mw=None) for opp in LITTLE.opps))
    target = Phone(profile=replace(PROFILE, clusters=(little, BIG)))
    bundle = make_bundle(tmp_path)
    _, policy = tune_bundle(bundle, target, 15, records=make_records(bundle, target))
    assert policy.setting.cluster == "big"
    assert "13 of 32 settings rank last: no power is known for them" in policy.notes


def test_unstable_records_are_named(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone("local", "measured")
    records = make_records(bundle, target)
    records[0] = replace(records[0], verdict="unstable")
    _, policy = tune_bundle(bundle, target, 15, records=records)
    assert "1 of 32 settings were judged unstable when they were benched" in policy.notes


@pytest.mark.parametrize(
    ("latency", "power", "energy"),
    [
        ("modelled", "measured: freqbench", "modelled"),
        ("measured", "modelled: C f V^2", "modelled"),
        ("measured", "measured: rail meter", "measured"),
    ],
)
def test_energy_is_measured_only_where_latency_and_power_are(tmp_path, latency, power, energy):
    bundle, target = make_bundle(tmp_path), Phone("local", latency)
    target.power = lambda setting: PowerFigure(100.0, power)
    _, policy = tune_bundle(bundle, target, 15, records=make_records(bundle, target))
    assert (policy.provenance, policy.energy_provenance) == (latency, energy)


def test_a_gross_power_beside_the_idle_devices_is_refused(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone()
    target.power = lambda setting: PowerFigure(100.0, "measured: x", is_gross=True)
    records = make_records(bundle, target)
    with pytest.raises(ValueError, match=r"the power on .* is gross.* leave --base-mw out"):
        tune_bundle(bundle, target, PolicyRequest(fps=15, base_mw=700.0), records=records)
    tune_bundle(bundle, target, PolicyRequest(fps=15), records=records)
