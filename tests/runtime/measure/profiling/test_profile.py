import json
import sys

import pytest

from runtime.bundle import Bundle, Graph, Manifest, Variant, new_bundle
from runtime.engines import EngineProcess
from runtime.engines.model_file import open_bundle_or_model
from runtime.errors import DeviceStableError
from runtime.measure.profiling.profile import OpTime, Profile, profile
from runtime.measure.profiling.trace import trace_json
from runtime.targets import open_target
from runtime.targets.agent.link import ProcessConnection
from runtime.targets.agent.target import AgentTarget, SameDisk
from tests.native_runner import native_runner
from tests.runtime.fake_device import environment, make_device
from tests.runtime.tflite_builder import write_summing_net


@pytest.fixture(scope="module")
def profiled(tmp_path_factory):
    path = write_summing_net(tmp_path_factory.mktemp("tflite") / "summing.tflite", side=96, channels=32)
    return profile(open_bundle_or_model(path), runs=12, warmup=2)


def test_every_op_has_its_module_place_and_share(profiled):
    assert [(op.module_path, op.delegate, op.kind) for op in profiled.ops] == [
        ("first", 0, "linear"), ("sum", None, "other"), ("last", 1, "linear"),
    ]  # fmt: skip
    assert [op.macs for op in profiled.ops] == [96 * 96 * 32 * 32, 96 * 96 * 32, 96 * 96 * 32 * 32]
    assert all(0 < op.share < 1 for op in profiled.ops)
    assert [op.op for op in profiled.outside] == ["CUMSUM"]


def test_ops_add_up_to_about_the_frame(profiled):
    assert profiled.ops_ms == pytest.approx(profiled.profiled_ms * sum(op.share for op in profiled.ops))
    assert 0.7 * profiled.profiled_ms < profiled.ops_ms <= profiled.profiled_ms


def test_executorch_is_profiled_in_the_same_form(pte):
    result = profile(open_bundle_or_model(pte), runs=5)
    assert (result.engine, result.threads, result.runs) == ("executorch", 1, 5)
    assert {op.delegate for op in result.ops} == {0}
    assert any("bare .pte" in remark for remark in result.remarks)


def test_a_device_tells_the_ops_too(tmp_path):
    path = write_summing_net(tmp_path / "summing.tflite", side=96, channels=32)
    model, device = open_bundle_or_model(path), make_device(tmp_path)
    connection = ProcessConnection([sys.executable, "-m", "runtime.targets.agent"], environment(device))
    with AgentTarget("test:device", connection, SameDisk()) as target:
        there = profile(model, target=target, runs=5)
        with pytest.raises(ValueError, match=r"unknown cluster|has no cluster"):
            profile(model, target=target, cluster="huge", runs=5)
    assert [(op.module_path, op.delegate, op.kind) for op in there.ops] == [
        ("first", 0, "linear"), ("sum", None, "other"), ("last", 1, "linear"),
    ]  # fmt: skip
    assert (there.target, there.provenance, there.runs) == ("test:device", "measured", 5)
    assert 0 < there.ops_ms <= there.profiled_ms


def test_where_single_ops_cannot_be_timed_it_is_said(tmp_path):
    path = write_summing_net(tmp_path / "summing.tflite")
    with pytest.raises(
        DeviceStableError, match=r"virtual:gs101 gives no times of single ops: .*profile on local"
    ):
        profile(open_bundle_or_model(path), target=open_target("virtual:gs101"), runs=5)
    with pytest.raises(ValueError, match="cluster is 'big', but on this machine the kernel takes the cores"):
        profile(open_bundle_or_model(path), cluster="big")


@pytest.mark.parametrize("graph", ["forward", "encode"])
def test_a_graph_of_any_name_is_profiled(pte, tmp_path, graph):
    with native_runner(), EngineProcess("executorch", pte) as model:
        graphs = {graph: Graph(model.inputs, model.outputs)}
    with new_bundle(tmp_path / "sum.edgekit") as writer:
        file = writer.add("sum.pte", pte.read_bytes(), "model")
        variant = Variant("executorch-fp32", "executorch", "fp32", file, graph)
        writer.finish(Manifest("sum", "2026-01-01T00:00:00Z", graphs, (variant,)))
    with native_runner():
        assert profile(Bundle.open(tmp_path / "sum.edgekit"), runs=4).runs == 4


def test_trace_is_valid_and_ops_of_a_track_do_not_overlap(profiled):
    events = json.loads(trace_json([profiled, profiled]))["traceEvents"]
    assert {event["pid"] for event in events} == {1, 2}
    for process in (1, 2):
        spans = [e for e in events if e["ph"] == "X" and e["pid"] == process]
        (frame,) = [span for span in spans if span["tid"] == 1]
        ops = [span for span in spans if span["tid"] == 2]
        assert [op["name"] for op in ops] == ["first: linear", "sum: other", "last: linear"]
        ends = [op["ts"] + op["dur"] for op in ops]
        assert all(op["ts"] >= end - 1e-6 for op, end in zip(ops[1:], ends, strict=False))
        assert ends[-1] <= frame["dur"]
        assert frame["dur"] == pytest.approx(profiled.frame_ms * 1000, abs=0.001)


def test_one_preempted_frame_changes_nothing(profiled):
    from runtime.engines import OpEvent, ProfiledFrames
    from runtime.measure.profiling.attribution import Attributed
    from runtime.measure.profiling.profile import _op_times

    def frame(*durations_ns):
        return tuple(OpEvent(f"op{i}", 0, 0, ns, "test") for i, ns in enumerate(durations_ns))

    calm, disturbed = frame(1_000_000, 3_000_000), frame(90_000_000, 3_000_000)
    seen = ProfiledFrames((4.0, 4.0, 93.0, 4.0), (calm, calm, disturbed, calm), ())
    first, second = _op_times(seen, [Attributed("conv2d"), Attributed("conv2d")])
    assert (first.mean_ms, first.share, second.share) == (1.0, 0.25, 0.75)
    of_three = ProfiledFrames((4.0, 93.0, 94.0), (calm, disturbed, frame(1_000_000, 93_000_000)), ())
    first, second = _op_times(of_three, [Attributed("conv2d"), Attributed("conv2d")])
    assert (first.median_ms, second.median_ms) == (1.0, 3.0)  # by means the first took 45 ms

    other = ProfiledFrames((4.0, 4.0), (calm, frame(1)), ())
    with pytest.raises(DeviceStableError, match="do not run the same ops"):
        _op_times(other, [Attributed("conv2d")])


def test_disturbed_frames_are_remarked():
    from runtime.measure.profiling.steadiness import disturbance

    assert disturbance([1.0] * 20, [2.0, 2.1] * 10) == []
    (remark,) = disturbance([1.0] * 20, [2.0] * 10 + [3.0] * 10)
    assert "2 to 3 ms" in remark


def test_a_profile_is_plain_data(profiled):
    import msgspec

    raw = msgspec.json.decode(msgspec.json.encode(profiled), type=Profile)
    assert raw == profiled
    assert isinstance(raw.ops[0], OpTime)
