"""Rounds over graphs of kernels: what is kept, what is timed again, what is left out."""

import pytest

from runtime.bundle import Bundle
from runtime.choose.fitting.kernels.timing import KernelTimer
from runtime.errors import BundleError, DeviceStableError
from tests.runtime.choose.fitting.kernels.laboratory import SETTING, Laboratory, law_ms, make_bundle


@pytest.fixture
def bundle(tmp_path):
    return Bundle.open(make_bundle(tmp_path / "kernels.edgekit"))


def names(bundle):
    return [variant.name for variant in bundle.manifest.variants]


def test_each_op_gets_its_time_and_a_second_run_times_nothing(bundle):
    target = Laboratory()
    timer = KernelTimer(target, SETTING, runs=4)
    timer.time_round(bundle, names(bundle), 0)
    timer.time_round(bundle, names(bundle), 1)
    variant = bundle.manifest.variants[0]
    known = timer.kept(bundle, variant)
    assert [one.number for one in known.rounds] == [0, 1]
    workload = bundle.workload(variant)
    assert known.quietest(workload).ops_ms == pytest.approx([law_ms(op) for op in workload.ops], abs=1e-5)
    again = Laboratory()
    KernelTimer(again, SETTING, runs=4).time_round(bundle, names(bundle), 1)
    assert again.sessions == []


def test_each_round_has_an_order_of_its_own(bundle):
    target = Laboratory()
    timer = KernelTimer(target, SETTING, runs=4)
    for number in range(3):
        timer.time_round(bundle, names(bundle), number)
    watches, orders = zip(
        *((target.sessions[i], target.sessions[i + 1 : i + 5]) for i in (0, 5, 10)), strict=True
    )
    assert len(set(watches)) == 1  # the smallest graph, which stays loaded to tell when the machine is quiet
    assert orders[0] != orders[1] or orders[1] != orders[2]
    assert all(sorted(order) == names(bundle) for order in orders)


def test_times_of_another_engine_are_not_mixed_in(bundle):
    KernelTimer(Laboratory(), SETTING, runs=4).time_round(bundle, names(bundle), 0)
    said = []
    timer = KernelTimer(Laboratory(engine="engine 2"), SETTING, runs=4, on_message=said.append)
    timer.time_round(bundle, names(bundle), 1)
    known = timer.kept(bundle, bundle.manifest.variants[0])
    assert ([one.number for one in known.rounds], known.origin.engine) == ([1], "engine 2")
    assert "is timed again: it was by bench (toy, arm), engine 1" in said[0]


def test_a_graph_that_cannot_run_is_left_out_with_its_reason_and_not_tried_again(bundle):
    said = []
    timer = KernelTimer(Laboratory(broken=("executorch-001",)), SETTING, runs=4, on_message=said.append)
    timer.time_round(bundle, names(bundle), 0)
    timer.time_round(bundle, names(bundle), 1)
    assert said == ["executorch-001 is left out: executorch-001 cannot be loaded; export it again"]
    assert "cannot be loaded" in timer.kept(bundle, bundle.manifest.variant("executorch-001")).failure


def test_a_target_on_which_nothing_runs_is_at_fault_itself(bundle):
    target = Laboratory(broken=tuple(names(bundle)))
    with pytest.raises(DeviceStableError, match="cannot be loaded"):
        KernelTimer(target, SETTING, runs=4).time_round(bundle, names(bundle), 0)


def test_a_damaged_file_of_times_is_named(bundle):
    timer = KernelTimer(Laboratory(), SETTING, runs=4)
    timer.time_round(bundle, names(bundle), 0)
    (path,) = bundle.path.glob("kernels/*/executorch-000.json")
    path.write_bytes(path.read_bytes().replace(b'"latency_ms":', b'"latency_ms":-'))
    with pytest.raises(BundleError, match=r"executorch-000\.json does not fit its schema .*no op takes"):
        timer.kept(bundle, bundle.manifest.variants[0])
