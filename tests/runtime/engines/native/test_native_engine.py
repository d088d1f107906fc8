"""The native runner behind EngineProcess: what a user of the Python worker sees, without torch."""

import os
import signal
import threading
import time

import numpy as np
import psutil
import pytest

from runtime.device.actuators import allowed_cpus
from runtime.engines import EngineProcess, random_inputs
from runtime.errors import DeviceStableError, DeviceTransientError
from tests.places import DATA

IMAGE = np.random.default_rng(0).standard_normal((1, 3, 8, 8)).astype(np.float32)


def load(name, **settings):
    return EngineProcess("executorch", DATA / name, executorch="native", **settings)


@pytest.fixture(scope="module")
def model(runner):
    with load("sum.pte") as model:
        yield model


def test_outputs_are_right_frame_after_frame(model):
    expected = np.maximum(IMAGE.sum(1, keepdims=True) + 0.5, 0).repeat(4, 1)
    for _ in range(3):
        np.testing.assert_allclose(model.run([IMAGE]).outputs[0], expected, atol=1e-5)
    assert model.version.startswith("executorch 1.")
    assert model.version.endswith("native")
    assert model.run([IMAGE], want_outputs=False).outputs is None


def test_integers_and_several_outputs_without_planned_memory(runner):
    index, x = np.array([3, 0, 9]), np.ones((3, 4), np.float32)
    with load("two.pte") as model:
        assert [spec.dtype for spec in model.inputs] == ["int64", "float32"]
        for _ in range(2):
            rows, following = model.run([index, x]).outputs
            np.testing.assert_array_equal(rows, np.arange(40.0).reshape(10, 4)[index] + 1)
            np.testing.assert_array_equal(following, index + 1)
        assert (rows.dtype, following.dtype) == (np.float32, np.int64)


def test_int8_in_int32_and_bool_out(runner):
    values = np.array([[-128, -1, 0], [1, 5, 127]], np.int8)
    with load("int8.pte") as model:
        doubled, positive = model.run([values]).outputs
    np.testing.assert_array_equal(doubled, values.astype(np.int32) * 2)
    np.testing.assert_array_equal(positive, values > 0)
    assert (doubled.dtype, positive.dtype) == (np.int32, np.bool_)


def test_frames_are_released_at_their_time(model):
    start_s = time.monotonic()
    samples = model.sample([IMAGE], warmup=0, runs=5, fps=20.0)
    assert 4 / 20.0 <= time.monotonic() - start_s < 20.0
    assert len(samples.samples_ms) == 5


def test_any_method_runs(runner):
    with load("methods.pte", graph="decode") as model:
        np.testing.assert_array_equal(model.run([np.zeros(3, np.float32)]).outputs[0], [3, 3, 3])
    with pytest.raises(DeviceStableError, match="it has no method 'forward', only: decode, encode"):
        load("methods.pte")


def test_only_the_very_first_frame_is_the_cold_one(runner):
    with load("sum.pte") as model:
        first = model.sample([IMAGE], warmup=2, runs=4)
        assert first.first_ms > 0
        assert 0 < first.memory.model_bytes < first.memory.peak_bytes
        assert first.memory.arena_bytes == 1856  # as ExecuTorch's own reader of programs says
        assert len(first.samples_ms) == 4
        assert model.sample([IMAGE], warmup=0, runs=1).first_ms is None


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_pool_has_the_threads_it_is_given_and_is_born_pinned(runner, threads):
    cpu = allowed_cpus()[-1]
    with load("sum.pte", threads=threads, cpus=[cpu]) as model:
        assert model.cpus == (cpu,)
        assert model.sample([IMAGE], warmup=1, runs=1).threads == threads
        tasks = os.listdir(f"/proc/{model.pid}/task")
        assert [os.sched_getaffinity(int(task)) for task in tasks] == [{cpu}] * threads


def test_ops_are_told_by_the_profiler(runner):
    with load("sum.pte", with_profiler=True) as model:
        seen = model.profile([IMAGE], warmup=3, runs=4)
        assert (len(seen.frames), len(seen.samples_ms)) == (4, 4)
        assert len(model.profile([IMAGE], warmup=0, runs=2).frames) == 2
        assert model.run([IMAGE]).latency_ms > 0
    for ops, latency_ms in zip(seen.frames, seen.samples_ms, strict=True):
        assert {(op.delegate, op.source) for op in ops} == {(0, "XNNPACK profiler")}
        assert any(op.name.startswith(("Convolution", "Fully Connected")) for op in ops)
        assert sum(op.duration_ns for op in ops) <= latency_ms * 1e6


def test_ops_outside_the_delegate_are_told_too(runner):
    with load("int8.pte", with_profiler=True) as model:
        (ops,) = model.profile(random_inputs(model.inputs), warmup=1, runs=1).frames
    assert [(op.delegate, op.source) for op in ops] == [(None, "ETDump")] * len(ops)
    assert {op.name for op in ops} >= {"mul.out", "gt.Scalar_out"} or "aten::mul.out" in {
        op.name for op in ops
    }


def test_what_it_cannot_do_is_one_clear_line(runner, model, tmp_path):
    broken = tmp_path / "broken.pte"
    broken.write_bytes((DATA / "sum.pte").read_bytes()[:200])
    with pytest.raises(
        DeviceStableError, match=r"^broken.pte on executorch: .*File size is too small.*damaged"
    ):
        EngineProcess("executorch", broken, executorch="native")
    broken.write_bytes(b"\xff\x00\xc3 \xed\xa0\x80" * 500)
    with pytest.raises(DeviceStableError, match=r"cannot load it \(InvalidProgram"):
        EngineProcess("executorch", broken, executorch="native")
    with pytest.raises(DeviceStableError, match=r"cannot load it \(AccessFailed.*none\.pte"):
        EngineProcess("executorch", tmp_path / "none.pte", executorch="native")
    with pytest.raises(DeviceStableError, match="output1 is not a tensor but a number"):
        load("scalar.pte")
    with pytest.raises(DeviceStableError, match=r"cannot pin to CPUs \[4000\]|no CPU 4000"):
        load("sum.pte", cpus=[4000])
    with pytest.raises(DeviceStableError, match="threads must be 1 to 256, not 0"):
        load("sum.pte", threads=0)
    with pytest.raises(DeviceStableError, match="only LiteRT decides"):
        model.plan()
    with pytest.raises(DeviceStableError, match="load it with_profiler"):
        model.profile([IMAGE], warmup=0, runs=1)
    with pytest.raises(ValueError, match=r"has shape \(1, 3, 8\) float32; it must be \(1, 3, 8, 8\)"):
        model.run([IMAGE[..., 0]])


def test_a_pipe_is_not_waited_for(runner, tmp_path):
    os.mkfifo(tmp_path / "pipe.pte")
    with pytest.raises(DeviceStableError, match="not a regular file"):
        EngineProcess("executorch", tmp_path / "pipe.pte", executorch="native")


@pytest.mark.parametrize("keep", [0, 7, 1000, 2000, 2500])
def test_a_file_cut_anywhere_is_refused(runner, tmp_path, keep):
    broken = tmp_path / "broken.pte"
    broken.write_bytes((DATA / "sum.pte").read_bytes()[:keep])
    with pytest.raises(DeviceStableError, match="ExecuTorch cannot load it"):
        EngineProcess("executorch", broken, executorch="native")


def test_killed_in_mid_run_is_told(runner):
    with load("sum.pte") as model:
        threading.Timer(0.3, os.kill, (model.pid, signal.SIGKILL)).start()
        begin_s = time.monotonic()
        with pytest.raises(DeviceTransientError, match="died by SIGKILL during sample; try again"):
            model.sample([IMAGE], warmup=0, runs=100_000_000)
        assert time.monotonic() - begin_s < 10


def test_it_ends_with_its_owner(runner):
    model = load("sum.pte")
    pid = model.pid
    model.close()
    assert not psutil.pid_exists(pid)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "graph"),
    [("sum.pte", "forward"), ("two.pte", "forward"), ("int8.pte", "forward"), ("methods.pte", "encode")],
)
def test_outputs_are_exactly_those_of_the_python_binding(runner, name, graph):
    pytest.importorskip("torch")
    outputs = []
    for kind in ("python", "native"):
        with EngineProcess("executorch", DATA / name, graph=graph, executorch=kind) as model:
            outputs.append(model.run(random_inputs(model.inputs)).outputs)
    for theirs, ours in zip(*outputs, strict=True):
        assert theirs.dtype == ours.dtype
        np.testing.assert_array_equal(theirs, ours)
