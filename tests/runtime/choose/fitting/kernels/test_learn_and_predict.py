"""Kernels in, networks out: sums, intervals, and what is refused."""

import random
from dataclasses import replace

import numpy as np
import pytest

from runtime.bundle import Bundle
from runtime.bundle.workload import Op, Workload
from runtime.choose.fitting.kernels.learn import learn_kernels
from runtime.choose.fitting.kernels.predict import predict, predict_workload
from runtime.choose.fitting.kernels.storage import load_kernel_fit, save_kernel_fit
from runtime.errors import BundleError, DataError, NotFittedError
from tests.runtime.choose.fitting.kernels.laboratory import draw_workload, make_bundle, source, time_of


def graphs(count, seed=0, ops=30):
    rng = random.Random(seed)
    return [time_of(draw_workload(rng, ops), rng) for _ in range(count)]


@pytest.fixture(scope="module")
def learnt():
    return learn_kernels(graphs(24), source(), {"litert-003": "too large"})


def test_networks_never_seen_are_within_a_few_percent_and_the_interval_says_so(learnt):
    fit, estimator, _ = learnt
    unseen = graphs(20, seed=1, ops=80)
    off = [predict_workload(fit, estimator, one.workload)[0] / one.latency_ms - 1 for one in unseen]
    assert np.abs(off).max() < 0.05
    assert 1 <= fit.spread < 1.06
    assert (fit.n_graphs, fit.n_kernels) == (24, 24 * 31)
    assert fit.kind_names == ["convolution", "convolution 9", "hardswish", "linear"]


def test_ops_and_what_the_frame_adds_make_up_the_latency(learnt):
    fit, estimator, _ = learnt
    latency_ms, frame_ms, ops = predict_workload(fit, estimator, graphs(1, seed=2)[0].workload)
    assert frame_ms + sum(op.latency_ms for op in ops) == pytest.approx(latency_ms)
    assert all(op.low_ms < op.latency_ms < op.high_ms for op in ops)


def test_a_kind_that_was_never_timed_is_refused_by_name(learnt):
    fit, estimator, _ = learnt
    strange = Workload((Op("x", "other", 1, 1, 1, type="cumsum"), Op("y", "other", 1, 1, 1, type="cumsum")))
    with pytest.raises(NotFittedError, match=r"no kernel of cumsum \(2 ops\) was timed on ssh:toy"):
        predict_workload(fit, estimator, strange)


def test_a_kind_that_was_hardly_timed_is_not_known_and_said_so():
    some = graphs(12)
    rare = Op("z", "other", 10, 10, 10, type="gelu")
    first = some[0]
    some[0] = replace(
        first, workload=Workload((*first.workload.ops, rare)), ops_ms=np.append(first.ops_ms, 0.01)
    )
    fit, _, _ = learn_kernels(some, source(), {})
    assert fit.left_out == {"gelu": "only 1 timed"}
    assert "gelu" not in fit.kind_names


def test_few_graphs_are_refused():
    with pytest.raises(DataError, match="9 graphs of kernels were timed on ssh:toy, at least 10"):
        learn_kernels(graphs(9), source(), {})


@pytest.fixture
def bundle(tmp_path, learnt):
    fit, estimator, _ = learnt
    return save_kernel_fit(Bundle.open(make_bundle(tmp_path / "kernels.edgekit")), fit, estimator)


def test_what_is_read_back_predicts_the_same(bundle, learnt):
    fit, estimator, _ = learnt
    read, loaded = load_kernel_fit(bundle, "ssh:toy", "executorch")
    workload = graphs(1, seed=3)[0].workload
    assert read == fit
    assert predict_workload(read, loaded, workload) == predict_workload(fit, estimator, workload)


def test_a_bundle_is_predicted_without_its_target(bundle):
    found = predict(bundle, bundle.path, "ssh:toy", "executorch-001")
    assert found.provenance == "predicted from measured kernels"
    assert found.low_ms < found.latency_ms < found.high_ms
    assert len(found.ops) == 9


def test_an_op_far_larger_than_any_kernel_is_extrapolated(learnt):
    fit, estimator, _ = learnt
    huge = Op("huge", "elementwise", 10**9, 4 * 10**9, 4 * 10**9, type="hardswish")
    latency_ms, _, ops = predict_workload(fit, estimator, Workload((huge,)))
    assert latency_ms > 100
    assert [op.is_extrapolated for op in ops] == [True]


@pytest.mark.parametrize(
    ("target", "name", "message"),
    [
        ("local", None, r"kernels\.edgekit knows no kernels of executorch on local; learn them: edgekit fit"),
        ("ssh:toy", "nothing", "unknown variant 'nothing'"),
    ],
)
def test_what_was_not_learnt_is_said_with_the_command_that_learns_it(bundle, target, name, message):
    with pytest.raises((NotFittedError, ValueError), match=message):
        predict(bundle, bundle.path, target, name)
    with pytest.raises(NotFittedError, match=r"there are no kernels at .*time some on ssh:toy"):
        predict(bundle, bundle.path / "nowhere.edgekit", "ssh:toy")


def test_a_summary_that_does_not_go_with_its_estimator_is_refused(bundle, learnt):
    fit, estimator, _ = learnt
    fewer = replace(fit, kinds=fit.kinds[:-1])
    changed = save_kernel_fit(bundle, fewer, estimator)
    with pytest.raises(BundleError, match="knows other kinds than its summary"):
        load_kernel_fit(changed, "ssh:toy", "executorch")
