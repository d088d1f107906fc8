"""A predictor of one SoC, transferred to another by a few settings benched on it."""

import numpy as np
import pytest

from predictors import LatencyPredictor, TransferLatency, choose_samples
from predictors.competitors import make_competitors
from runtime.choose.fitting import features_of, fit_bundle, load_fit
from runtime.choose.fitting.features import COST_NAMES, FEATURE_NAMES, features
from runtime.choose.fitting.transfer import transfer_fit
from runtime.choose.tuning.latency_source import latency_source
from runtime.device.soc import load_profile, modelled_latency_ms
from runtime.errors import DataError, NotFittedError
from runtime.measure.bench import bench
from runtime.measure.records import RecordLog
from runtime.targets import open_target
from tests.networks import draw_workloads
from tests.runtime.phone import WORKLOAD, make_bundle

OLD, NEW = "virtual:sdm845", "virtual:sm8250"


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A bundle with a predictor of the old SoC."""
    folder = tmp_path_factory.mktemp("transfer")
    bundle, target = make_bundle(folder), open_target(OLD)
    records = bench(bundle, target, log=RecordLog(folder / "old.jsonl"))
    return fit_bundle(bundle, target, records)[0]


def test_a_dozen_settings_of_the_new_one_are_enough(known, tmp_path):
    target, log = open_target(NEW), RecordLog(tmp_path / "new.jsonl")
    bundle, result = transfer_fit(known, target, OLD, log=log, samples=12)
    assert len(list(log)) == result.n_groups == 12
    assert (result.made_by, result.source, result.interval) == ("transfer", OLD, "jackknife")
    assert result.scores[result.chosen] < result.scores["source"] / 3

    read, predictor = load_fit(bundle, NEW)
    assert read == result
    settings = target.settings()
    X = np.stack([features_of(bundle, target.profile, "litert-fp32", setting) for setting in settings])
    true_ms = np.array([modelled_latency_ms(WORKLOAD, target.profile, setting) for setting in settings])
    assert np.mean(np.abs(predictor.predict(X) / true_ms - 1)) < 0.06
    low, high = predictor.predict_interval(X).T
    assert np.mean((low <= true_ms) & (true_ms <= high)) > 0.85


def test_tune_takes_the_predictor_for_every_setting_of_the_new_target(known, tmp_path):
    target, log = open_target(NEW), RecordLog(tmp_path / "new.jsonl")
    bundle, _ = transfer_fit(known, target, OLD, log=log, samples=12)
    source = latency_source(bundle, target, list(log))
    assert len(source.options) == len(target.settings())
    assert "off in cross-validation by setting" in source.name


def test_what_was_benched_before_is_not_benched_again(known, tmp_path):
    target, log = open_target(NEW), RecordLog(tmp_path / "new.jsonl")
    first = transfer_fit(known, target, OLD, log=log, samples=12)[1]
    second = transfer_fit(known, target, OLD, log=log, samples=12)[1]
    assert len(list(log)) == 12
    assert first.scores == second.scores


def test_what_cannot_be_is_refused(known, tmp_path):
    log = RecordLog(tmp_path / "new.jsonl")
    with pytest.raises(ValueError, match="the interval needs at least 9"):
        transfer_fit(known, open_target(NEW), OLD, log=log, samples=4)
    with pytest.raises(ValueError, match="name two targets"):
        transfer_fit(known, open_target(OLD), OLD, log=log)
    with pytest.raises(NotFittedError, match="no predictor for virtual:rk3399"):
        transfer_fit(known, open_target(NEW), "virtual:rk3399", log=log)
    small = open_target(NEW)
    small.settings = lambda threads=(1,): open_target(NEW).settings()[:5]
    with pytest.raises(DataError, match="5 settings are offered"):
        transfer_fit(known, small, OLD, log=log)
    assert not log.path.exists()


def cases(soc):
    """Return features, modelled latency and number of the network, at every third clock of a SoC."""
    profile, target = load_profile(soc), open_target(f"virtual:{soc}")
    clocks = {(cluster.name, opp.freq_khz) for cluster in profile.clusters for opp in cluster.opps[::3]}
    kept = [s for s in target.settings((1, 2)) if (s.cluster, s.freq_khz) in clocks]
    every = [(number, w, s) for number, w in enumerate(draw_workloads(16)) for s in kept]
    X = np.stack([features(w, profile, s, "fp32", "litert", with_costs=True) for _, w, s in every])
    y = np.array([modelled_latency_ms(w, profile, s) for _, w, s in every])
    return X, y, np.array([number for number, _, _ in every])


@pytest.mark.parametrize("soc", ["sm8250", "rk3399"])
def test_with_eighteen_samples_transfer_beats_fitting_from_scratch(soc):
    X, y, groups = cases("sdm845")
    costs = tuple(range(len(FEATURE_NAMES), len(FEATURE_NAMES) + len(COST_NAMES)))
    source = LatencyPredictor(("linear", "additive_corrected"), costs=costs, on_extrapolate="warn")
    source.fit(X, y, groups)
    X, y, _ = cases(soc)
    chosen = choose_samples(X, n_clusters=9)
    rest = np.setdiff1d(np.arange(len(y)), chosen)

    def off(predictor):
        return float(np.mean(np.abs(predictor.predict(X[rest]) / y[rest] - 1)))

    with pytest.raises(ValueError, match="measure more samples than there are features"):
        LatencyPredictor(costs=costs).fit(X[chosen], y[chosen])
    # One that asks for no interval may take all samples, and the plainest regressor does best on so few.
    scratch = make_competitors(("linear",), costs, X.shape[1], 0)["linear"].fit(X[chosen], np.log(y[chosen]))
    off_scratch = float(np.mean(np.abs(np.exp(scratch.predict(X[rest])) / y[rest] - 1)))
    assert off(TransferLatency(source).fit(X[chosen], y[chosen])) < off_scratch
