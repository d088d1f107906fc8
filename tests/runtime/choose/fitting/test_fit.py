"""Records in, predictor out: what is learnt from, what is refused, what is read back."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from runtime.bundle.workload import Workload
from runtime.choose.fitting import FIT_SCHEMA, features_of, fit_bundle, load_fit, ran_at
from runtime.choose.fitting.features import COST_NAMES, FEATURE_NAMES
from runtime.choose.fitting.usable import usable_records
from runtime.choose.tuning.request import PolicyRequest
from runtime.choose.tuning.tune import tune_bundle
from runtime.device.setting import Setting
from runtime.device.soc import modelled_latency_ms
from runtime.errors import BundleError, DataError, NotFittedError, VersionConflict
from tests.runtime.phone import WORKLOAD, Phone, make_bundle, make_records


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A bundle fitted to every second clock of the toy phone."""
    bundle, target = make_bundle(tmp_path_factory.mktemp("fit")), Phone()
    records = make_records(bundle, target, settings=target.settings()[::2])
    return *fit_bundle(bundle, target, records), target


def test_summary_says_what_was_learnt_from(fitted):
    _, result, _ = fitted
    assert (result.n_records, result.n_groups, result.grouped_by) == (16, 16, "cluster and clock")
    assert (result.provenance, result.variants, result.threads) == ("modelled", ("litert-fp32",), (1,))
    assert result.clocks_khz == {"little": (400_000, 1_600_000), "big": (700_000, 2_300_000)}
    assert result.scores[result.chosen] == min(result.scores.values())
    assert len(result.scores) == 6
    assert result.left_out == {}
    assert (result.made_by, result.models, result.interval) == ("fit", ("toy",), "split")
    assert "too few groups to tell where predictions are hard" in result.interval_reason


def test_kind_of_interval_is_chosen_by_measured_widths_where_there_are_enough_groups(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone()
    _, result = fit_bundle(bundle, target, make_records(bundle, target), alpha=0.2)
    assert result.interval in ("split", "normalised")
    assert "to hold 80% of the groups left out in cross-validation, intervals are" in result.interval_reason


def test_predictor_read_back_knows_clocks_it_was_not_shown(fitted):
    bundle, result, target = fitted
    read, predictor = load_fit(bundle, target.name)
    assert read == result
    setting = Setting("big", 1_200_000)
    assert setting not in target.settings()[::2]
    predicted_ms = predictor.predict([features_of(bundle, target.profile, "litert-fp32", setting)])[0]
    true_ms = modelled_latency_ms(WORKLOAD, target.profile, setting)
    assert predicted_ms == pytest.approx(true_ms, rel=0.05)


def test_covers_only_what_lies_between_benched_settings(fitted):
    _, result, _ = fitted
    assert result.covers(Setting("big", 1_000_000))
    assert not result.covers(Setting("big", 600_000))
    assert not result.covers(Setting("big", 2_400_000))
    assert not result.covers(Setting("mid", 1_000_000))
    assert not result.covers(Setting("big", 1_000_000, threads=2))
    assert not result.covers(Setting("big", None))


def test_records_of_others_are_left_out_and_counted(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone()
    records = make_records(bundle, target)
    foreign = [
        replace(records[0], target="virtual:other"),
        replace(records[1], model_sha256="0" * 64),
        replace(records[2], verdict="unstable", block=1),
    ]
    _, result = fit_bundle(bundle, target, records + foreign)
    assert result.n_records == len(records)
    assert result.left_out == {"other target": 1, "other model file": 1, "unstable": 1}
    _, result = fit_bundle(bundle, target, records + foreign, include_unstable=True)
    assert result.n_records == len(records) + 1


def test_too_few_records_say_how_many_and_how(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone()
    few = make_records(bundle, target, settings=target.settings()[:4])
    with pytest.raises(DataError, match=r"4 clocks .* at least 11 are needed; run: edgekit bench .*:toy"):
        fit_bundle(bundle, target, few)
    shaky = make_records(bundle, target, verdict="unstable")
    with pytest.raises(DataError, match=r"0 clocks.*32 records more are unstable: --include-unstable"):
        fit_bundle(bundle, target, shaky)
    assert not (bundle.path / "predictors").exists()


def test_target_with_too_few_clocks_is_told_to_skip_fit(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone()
    target.settings = lambda threads=(1,): (Setting("big", 1_000_000),)
    with pytest.raises(DataError, match=r"offers 1 clocks.*skip fit"):
        fit_bundle(bundle, target, make_records(bundle, target))


def test_workload_that_the_bundle_does_not_know_is_refused(tmp_path):
    bundle, target = make_bundle(tmp_path, workload=None), Phone()
    with pytest.raises(BundleError, match="no workload table for litert-fp32"):
        fit_bundle(bundle, target, make_records(bundle, target))


def test_clock_read_back_goes_before_the_clock_asked(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone()
    record = make_records(bundle, target, settings=[Setting("big", 2_400_000)])[0]
    throttled = replace(record, setting_read=Setting("big", 1_800_000))
    assert ran_at(throttled).freq_khz == 1_800_000
    assert ran_at(replace(record, setting_read=None)).freq_khz == 2_400_000
    assert ran_at(replace(record, setting_read=Setting("big", None))).freq_khz == 2_400_000


def test_same_seed_same_predictor(tmp_path):
    target = Phone()
    bundle = make_bundle(tmp_path)
    records = make_records(bundle, target)
    _, first = fit_bundle(bundle, target, records, seed=1)
    _, second = fit_bundle(bundle, target, records, seed=1)
    assert first.scores == second.scores
    assert first.interval_pct == second.interval_pct


def test_bundle_without_predictor_says_what_to_run(tmp_path):
    with pytest.raises(NotFittedError, match=r"edgekit bench .* then edgekit fit"):
        load_fit(make_bundle(tmp_path), "virtual:toy")


def changed_summary(fitted, tmp_path, **changes):
    bundle, result, _ = fitted
    other = make_bundle(tmp_path)
    estimator = bundle.file("predictors/virtual-toy.skops").read_bytes()
    other = other.add("predictors/virtual-toy.skops", changes.pop("estimator", estimator), "predictor")
    return other.add(
        "predictors/virtual-toy.json", msgspec.json.encode(replace(result, **changes)), "predictor"
    )


@pytest.mark.parametrize("changes", [{"schema_version": FIT_SCHEMA + 1}, {"features": ("other",)}])
def test_predictor_of_another_edgekit_is_refused(fitted, tmp_path, changes):
    with pytest.raises(VersionConflict, match=r"fit again: edgekit fit"):
        load_fit(changed_summary(fitted, tmp_path, **changes), "virtual:toy")


def test_predictor_file_that_is_none_is_refused(fitted, tmp_path):
    with pytest.raises(BundleError, match=r"virtual-toy\.skops.*cannot be read"):
        load_fit(changed_summary(fitted, tmp_path, estimator=b"junk"), "virtual:toy")


def test_predictor_of_another_target_or_width_is_refused(fitted, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with pytest.raises(BundleError, match=r"is of virtual:other, not virtual:toy; fit again"):
        load_fit(changed_summary(fitted, tmp_path / "a", target="virtual:other"), "virtual:toy")
    with pytest.raises(BundleError, match="does not go with its summary"):
        load_fit(changed_summary(fitted, tmp_path / "b", features=FEATURE_NAMES + COST_NAMES), "virtual:toy")


def test_summary_that_is_corrupt_is_refused(fitted, tmp_path):
    bundle = changed_summary(fitted, tmp_path)
    for junk in (b"{", b'{"schema_version": "two"}', b"[1, 2]"):
        broken = bundle.add("predictors/virtual-toy.json", junk, "predictor")
        with pytest.raises(BundleError, match="does not fit its schema"):
            load_fit(broken, "virtual:toy")


def test_one_cluster_is_enough_where_it_has_the_clocks(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone()
    settings = [setting for setting in target.settings() if setting.cluster == "big"]
    _, result = fit_bundle(bundle, target, make_records(bundle, target, settings=settings))
    assert list(result.clocks_khz) == ["big"]
    assert result.holdout_mape_pct < 5


def other_models(tmp_path, target, count=14, seed=0):
    """Return bundles of other sizes and mixes with the records of a few of the target's settings."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        scale = np.exp(rng.uniform(-1.2, 1.2, len(WORKLOAD.ops)))
        ops = tuple(
            replace(op, macs=int(op.macs * s), bytes_read=int(op.bytes_read * s))
            for op, s in zip(WORKLOAD.ops, scale, strict=True)
        )
        (tmp_path / str(number)).mkdir()
        bundle = make_bundle(tmp_path / str(number), workload=Workload(ops))
        yield bundle, make_records(bundle, target, settings=target.settings()[::3], seed=number)


def test_a_model_that_was_never_benched_is_predicted_from_others(tmp_path):
    target = Phone()
    others = list(other_models(tmp_path, target))
    bundle, result = fit_bundle(make_bundle(tmp_path), target, (), also=others)
    assert (result.grouped_by, result.n_groups, result.variants) == ("workload", 14, ("litert-fp32",))
    assert result.features == FEATURE_NAMES + COST_NAMES
    assert {"additive", "additive_corrected"} < set(result.scores)
    _, predictor = load_fit(bundle, target.name)
    settings = target.settings()[::4]
    X = [features_of(bundle, target.profile, "litert-fp32", setting, with_costs=True) for setting in settings]
    true_ms = [modelled_latency_ms(WORKLOAD, target.profile, setting) for setting in settings]
    assert predictor.predict(X) == pytest.approx(true_ms, rel=0.15)


def test_few_other_models_do_not_stand_for_one_that_was_not_benched(tmp_path):
    target = Phone()
    with pytest.raises(DataError, match=r"2 other models .* too few to predict it from \(12 are needed\)"):
        fit_bundle(make_bundle(tmp_path), target, (), also=list(other_models(tmp_path, target, count=2)))


def test_interval_reaches_beyond_the_expected_latency(fitted):
    bundle, result, target = fitted
    _, predictor = load_fit(bundle, target.name)
    row = features_of(bundle, target.profile, "litert-fp32", Setting("little", 1_000_000))
    expected_ms = predictor.predict([row])[0]
    np.testing.assert_allclose(
        predictor.predict_interval([row])[0, 1], expected_ms * (1 + result.interval_pct / 100)
    )


def measured_on(records, name, **facts):
    """Return records as a machine of this name would have timed them."""
    return [
        replace(r, target="local", provenance="measured", device={"name": name, "kernel": "1"}, **facts)
        for r in records
    ]


def test_records_of_two_machines_under_one_name_are_refused(tmp_path):
    bundle, phone = make_bundle(tmp_path), Phone("local", "measured")
    records = make_records(bundle, phone)
    mixed = measured_on(records[:9], "Pi 4") + measured_on(records[9:], "laptop")
    for use in (fit_bundle, lambda *given: tune_bundle(*given[:2], records=given[2])):
        with pytest.raises(DataError, match=r"of Pi 4: 9 blocks.* and of laptop: .*`edgekit bench --again`"):
            use(bundle, phone, mixed)
    (tmp_path / "other").mkdir()
    other = make_bundle(tmp_path / "other")
    with pytest.raises(DataError, match=r"of Pi 4: .* and of laptop: "):
        fit_bundle(
            bundle, phone, measured_on(records, "Pi 4"), also=[(other, measured_on(records, "laptop"))]
        )


def test_after_an_upgrade_the_newest_versions_count_and_so_do_the_last_tries(tmp_path):
    bundle, phone = make_bundle(tmp_path), Phone("local", "measured")
    records = make_records(bundle, phone)
    now = measured_on(records, "Pi 4", versions={"engine": "2"})
    old = [replace(r, samples_ms=(999.0,), versions={"engine": "1"}) for r in now]
    nameless = [replace(r, device={}) for r in now]
    unstable = replace(now[0], samples_ms=(999.0,), verdict="unstable")
    first_tries = [replace(r, samples_ms=(999.0,)) for r in now[:3]]
    kept, left_out = usable_records(
        bundle, "local", nameless + old + first_tries + now + [unstable], include_unstable=True
    )
    assert kept == now
    assert left_out == {
        "of a machine that they do not name": len(now),
        "older kernel or engine": len(now),
        "measured again since": 4,
    }
    _, policy = tune_bundle(bundle, phone, PolicyRequest(fps=5), records=old + now)
    assert any("are of an older kernel or engine than the last" in note for note in policy.notes)
