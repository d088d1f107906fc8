"""A predictor that is shown a governed run: it follows a device that changed, and nothing else."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from runtime.bundle import Bundle
from runtime.choose.fitting import features_of, fit_bundle, load_fit
from runtime.choose.fitting.update import FRAMES_PER_CASE, update_fit
from runtime.choose.tuning.latency_source import latency_source
from runtime.choose.tuning.tune import tune_bundle
from runtime.device.setting import Setting
from runtime.device.soc import modelled_latency_ms
from runtime.errors import DataError, NotFittedError
from runtime.measure.frame_log import FrameLine, GovernedLog, Header
from tests.runtime.phone import WORKLOAD, Phone, make_bundle, make_records

HEADER = Header("virtual:toy", "emulated", fps_target=30, period_ms=1000 / 30)


@pytest.fixture(scope="module")
def tuned_once(tmp_path_factory):
    """A bundle with a predictor and a policy for the toy phone, whose latencies scatter by 1 %."""
    bundle, target = make_bundle(tmp_path_factory.mktemp("update")), Phone()
    bundle, _ = fit_bundle(bundle, target, make_records(bundle, target))
    return tune_bundle(bundle, target, 30)[0]


@pytest.fixture
def tuned(tuned_once, tmp_path):
    return Bundle.open(shutil.copytree(tuned_once.path, tmp_path / "toy.edgekit"))


def write(path, factor=1.0, header=HEADER, batches=12, frames=FRAMES_PER_CASE, clocks=None):
    """Write the log of a run in which every setting took ``factor`` times what the model says."""
    target, rng = Phone(), np.random.default_rng(0)
    clocks = clocks or [("big", khz) for khz in (1_000_000, 1_400_000, 1_800_000)]
    with GovernedLog(path, header) as log:
        for batch in range(batches):
            cluster, freq_khz = clocks[batch % len(clocks)]
            setting = Setting(cluster, round(freq_khz, -5))
            for frame in range(frames):
                latency_ms = factor * modelled_latency_ms(WORKLOAD, target.profile, setting)
                latency_ms *= 1 + 0.01 * rng.standard_normal() + (frame == 3)  # one hiccup
                log.write(
                    FrameLine(
                        start_s=(batch * frames + frame) / 30, latency_ms=latency_ms, late=False,
                        cluster=cluster, freq_khz=freq_khz, power_mw=None, energy_mj=None, trusted=True,
                    )
                )  # fmt: skip
    return path


def expected_ms(bundle, freq_khz=1_600_000):
    target = Phone()
    _, predictor = load_fit(bundle, target.name)
    row = features_of(bundle, target.profile, "litert-fp32", Setting("big", freq_khz))
    return predictor.predict([row])[0]


def test_a_run_as_predicted_changes_nothing(tuned, tmp_path):
    before_ms = expected_ms(tuned)
    bundle, result = update_fit(tuned, Phone(), write(tmp_path / "run.jsonl"))
    assert (result.made_by, result.drifts, result.n_records, result.left_out) == ("update", 0, 12, {})
    assert expected_ms(bundle) == before_ms


def test_a_device_that_became_slower_is_followed_at_clocks_that_were_not_run_too(tuned, tmp_path):
    before_ms = expected_ms(tuned)
    bundle, result = update_fit(tuned, Phone(), write(tmp_path / "run.jsonl", factor=1.5))
    assert result.drifts >= 1
    assert result.holdout_mape_pct < 6
    assert expected_ms(bundle) == pytest.approx(1.5 * before_ms, rel=0.06)
    read, _ = load_fit(bundle, "virtual:toy")
    assert read == result


def test_a_second_run_goes_on_from_the_first(tuned, tmp_path):
    before_ms = expected_ms(tuned)
    slow = write(tmp_path / "slow.jsonl", factor=1.5)
    bundle, first = update_fit(tuned, Phone(), slow)
    bundle, second = update_fit(bundle, Phone(), write(tmp_path / "again.jsonl", factor=1.0, batches=24))
    assert second.drifts > first.drifts
    assert expected_ms(bundle) == pytest.approx(before_ms, rel=0.06)


def test_tune_takes_what_was_corrected(tuned, tmp_path):
    before = latency_source(tuned, Phone(), [])
    before_ms = before.model(before.options)[0].latency_ms
    bundle, _ = update_fit(tuned, Phone(), write(tmp_path / "run.jsonl", factor=1.5))
    after = latency_source(bundle, Phone(), [])
    assert after.options == before.options
    assert after.model(after.options)[0].latency_ms / before_ms == pytest.approx(1.5, rel=0.06)


def test_what_the_predictor_does_not_know_is_left_out_and_counted(tuned, tmp_path):
    clocks = [("big", 1_000_000), ("big", 1_234_000)]
    _, result = update_fit(tuned, Phone(), write(tmp_path / "run.jsonl", clocks=clocks))
    assert result.left_out == {"clocks the policy does not know": 6 * FRAMES_PER_CASE}
    with pytest.raises(DataError, match=r"holds no frames that virtual:toy's predictor knows: .* in a row"):
        update_fit(tuned, Phone(), write(tmp_path / "short.jsonl", frames=4))
    with pytest.raises(DataError, match="it is empty"):
        update_fit(tuned, Phone(), write(tmp_path / "empty.jsonl", batches=0))


def test_logs_of_others_are_refused(tuned, tmp_path):
    for other in (replace(HEADER, target="local"), replace(HEADER, policy="schedutil")):
        with pytest.raises(DataError, match="give the log of a run that edgekit governed on virtual:toy"):
            update_fit(tuned, Phone(), write(tmp_path / "run.jsonl", header=other))
    (tmp_path / "bare").mkdir()
    with pytest.raises(NotFittedError, match="no predictor for virtual:toy"):
        update_fit(make_bundle(tmp_path / "bare"), Phone(), write(tmp_path / "run.jsonl"))
