"""Bench, fit, tune and run on the virtual phones that come with edgekit."""

import pytest

from runtime.choose.fitting import fit_bundle
from runtime.choose.tuning.request import PolicyRequest
from runtime.choose.tuning.tune import tune_bundle
from runtime.device.soc import modelled_latency_ms
from runtime.govern.compiled.emit import emit_c
from runtime.govern.run.run import run_bundle
from runtime.measure.bench import bench
from runtime.measure.records import RecordLog
from runtime.targets import choose_settings, open_target
from tests.runtime.phone import WORKLOAD, make_bundle


@pytest.mark.parametrize("soc", ["sdm845", "gs101"])
def test_policy_learnt_from_every_second_clock_is_near_the_exhaustive_best(tmp_path, soc):
    bundle, target = make_bundle(tmp_path), open_target(f"virtual:{soc}")
    clocks = {(c.name, o.freq_khz) for c in target.profile.clusters for o in (*c.opps[::2], c.opps[-1])}
    settings = [s for s in target.settings() if (s.cluster, s.freq_khz) in clocks]
    records = bench(bundle, target, settings=settings, log=RecordLog(tmp_path / "log.jsonl"))
    assert {record.provenance for record in records} == {"modelled"}
    bundle, fit = fit_bundle(bundle, target, records)
    assert fit.n_groups == len(settings)
    assert fit.scores[fit.chosen] < 2.5

    for fps in (30, 60):
        bundle, policy = tune_bundle(bundle, target, fps)
        rows = {outcome.governor: outcome for outcome in policy.comparison}
        assert policy.meets_target
        assert rows["policy"].late_frames == 0
        assert rows["best"].energy_mj <= rows["policy"].energy_mj <= 1.1 * rows["best"].energy_mj
        assert rows["policy"].energy_mj < rows["performance"].energy_mj
        assert rows["performance"].energy_mj == pytest.approx(
            target.power(target.settings()[-1]).power_mw
            * modelled_latency_ms(WORKLOAD, target.profile, target.settings()[-1])
            / 1000
        )
        result = run_bundle(bundle, target, policy=policy)
        assert result.setting == result.setting_read == policy.setting
        assert result.latency_ms == pytest.approx(rows["policy"].latency_ms)
        assert result.late_frames == 0


def test_four_threads_on_the_prime_and_gold_cores_are_chosen_where_nothing_else_is_fast_enough(tmp_path):
    bundle, target = make_bundle(tmp_path), open_target("virtual:sm8150")
    settings = choose_settings(target, (1, 3, 4), every=4)
    records = bench(bundle, target, settings=settings, log=RecordLog(tmp_path / "log.jsonl"))
    both = [r for r in records if r.setting.cluster == "mid+big"]
    assert {r.setting.threads for r in both} == {4}
    fastest = min(records, key=lambda record: record.latency_ms)
    assert fastest in both
    bundle, _ = fit_bundle(bundle, target, records)
    bundle, policy = tune_bundle(bundle, target, PolicyRequest(fps=0.99e3 / fastest.latency_ms, margin_pct=0))
    assert (policy.setting.cluster, policy.setting.threads) == ("mid+big", 4)
    rows = {outcome.governor: outcome for outcome in policy.comparison}
    assert rows["performance"].cluster == "mid+big"
    result = run_bundle(bundle, target, policy=policy)
    assert result.setting_read == policy.setting
    emitted = emit_c(bundle, policy, target.profile, tmp_path / "c")
    assert emitted.rows == sum(e.setting.cluster != "mid+big" for e in policy.considered)
    assert "rows on several clusters as one" in (tmp_path / "c" / f"{emitted.name}.h").read_text()


def test_a_span_that_was_benched_by_name_is_chosen_from_too(tmp_path):
    bundle, target = make_bundle(tmp_path), open_target("virtual:sm8150")
    settings = (*choose_settings(target, (2,)), *choose_settings(target, (2,), ["mid+big"]))
    records = bench(bundle, target, settings=settings, log=RecordLog(tmp_path / "log.jsonl"))
    _, policy = tune_bundle(bundle, target, 30, records=records)
    assert "mid+big" in {estimate.setting.cluster for estimate in policy.considered}
