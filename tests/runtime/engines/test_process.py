import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from runtime.bundle import TensorSpec
from runtime.device.actuators import allowed_cpus
from runtime.engines import EngineProcess
from runtime.engines.messages import Array, Load, Run, WorkerFailed, read_message, write_message
from runtime.engines.worker import Worker
from runtime.errors import DeviceStableError, DeviceTransientError, MissingExtra
from runtime.extras import install_line

X = np.arange(256, dtype=np.float32).reshape(1, 8, 8, 4)


@pytest.fixture(scope="module")
def model(tflite):
    with EngineProcess("litert", tflite) as model:
        yield model


def test_litert_runs_the_file(model):
    assert model.inputs == (TensorSpec("x", "float32", (1, 8, 8, 4)),)
    assert model.outputs == (TensorSpec("y", "float32", (1, 8, 8, 4)),)
    frame = model.run([X])
    np.testing.assert_array_equal(frame.outputs[0], 2 * X)
    assert frame.latency_ms > 0
    assert model.version.startswith("ai-edge-litert 2.")


def test_outputs_stay_there_when_nobody_wants_them(model):
    assert model.run([X], want_outputs=False).outputs is None


def test_only_the_very_first_frame_is_the_cold_one(tflite):
    with EngineProcess("litert", tflite) as model:
        first = model.sample([X], warmup=2, runs=4)
        assert first.first_ms > 0
        assert 0 < first.load_ms < 5000  # without the import of the engine
        assert 0 < first.memory.model_bytes < first.memory.peak_bytes  # likewise
        assert first.memory.arena_bytes is None  # LiteRT does not tell
        assert len(first.samples_ms) == 4
        assert model.sample([X], warmup=0, runs=1).first_ms is None


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_litert_uses_the_threads_it_is_given(tflite, threads):
    with EngineProcess("litert", tflite, threads=threads) as model:
        assert model.sample([X], warmup=1, runs=1).threads == threads


def test_the_pool_is_born_pinned(tflite):
    cpu = allowed_cpus()[-1]
    with EngineProcess("litert", tflite, threads=2, cpus=[cpu]) as model:
        model.run([X])
        assert model.cpus == (cpu,)
        tasks = f"/proc/{model.pid}/task"
        assert [os.sched_getaffinity(int(task)) for task in os.listdir(tasks)] == [{cpu}, {cpu}]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "takes 1 inputs, got 0; give one array each"),
        ([X[:, :4]], r"has shape \(1, 4, 8, 4\) float32; it must be \(1, 8, 8, 4\) float32"),
        ([X.astype(np.float64)], "float64; it must be"),
    ],
)
def test_wrong_inputs_say_what_is_right(model, inputs, message):
    with pytest.raises(ValueError, match=message):
        model.run(inputs)
    np.testing.assert_array_equal(model.run([X]).outputs[0], 2 * X)  # and the worker lives on


def test_a_damaged_file_is_one_line(tmp_path):
    path = tmp_path / "broken.tflite"
    path.write_bytes(b"\0\0\0\0TFL3 and nothing else")
    with pytest.raises(DeviceStableError, match=r"^broken.tflite on litert: LiteRT cannot load it"):
        EngineProcess("litert", path)


def test_a_custom_op_is_explained(tmp_path):
    from tests.runtime.tflite_builder import write_tflite

    tensors = [("x", (1, 4), None), ("y", (1, 4), None)]
    path = write_tflite(tmp_path / "custom.tflite", tensors, [("MyOwnOp", [0], [1], None)], [0], [1])
    with pytest.raises(DeviceStableError, match="LiteRT alone does not know this op"):
        EngineProcess("litert", path)


def test_an_unknown_engine(tflite):
    with pytest.raises(DeviceStableError, match="unknown engine 'lite'; did you mean litert"):
        EngineProcess("lite", tflite)


def test_a_worker_that_dies_is_reported_with_its_signal(tflite):
    with EngineProcess("litert", tflite) as model:
        os.kill(model.pid, signal.SIGSEGV)
        with pytest.raises(DeviceTransientError, match="died by SIGSEGV during run; try again"):
            model.run([X])


def test_the_worker_ends_with_its_owner(tflite):
    code = f"""
import os, sys
from runtime.engines import EngineProcess
model = EngineProcess("litert", {str(tflite)!r})
print(model.pid, flush=True)
os._exit(0)
"""
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    ).stdout
    import psutil

    if psutil.pid_exists(int(out)):
        psutil.Process(int(out)).wait(5)


def test_a_missing_package_gives_the_pip_line(tflite, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    answer = Worker().answer(Load("litert", str(tflite), "forward", 1, None))
    assert isinstance(answer, WorkerFailed)
    assert answer.missing_extra
    assert install_line("litert") in answer.message


def test_a_missing_extra_is_raised_as_one(tflite, monkeypatch):
    monkeypatch.setattr(
        "runtime.engines.worker_program.read_message",
        lambda stream, most_bytes: WorkerFailed("pip it", missing_extra=True),
    )
    with pytest.raises(MissingExtra, match="pip it"):
        EngineProcess("litert", tflite)


def test_running_before_loading_is_refused():
    assert Worker().answer(Run((), False)) == WorkerFailed("no model is loaded yet")


def test_messages_survive_the_pipe(tmp_path):
    message = Run((Array.of(X),), True)
    path = tmp_path / "pipe"
    with path.open("wb") as stream:
        write_message(stream, message)
    with path.open("rb") as stream:
        assert read_message(stream) == message
        assert read_message(stream) is None
    path.write_bytes(path.read_bytes()[:-1])
    with path.open("rb") as stream:
        assert read_message(stream) is None
    np.testing.assert_array_equal(message.inputs[0].numpy(), X)


def test_executorch_runs_the_file_with_the_threads_it_is_given(pte):
    cpu = allowed_cpus()[-1]
    image = np.ones((1, 3, 8, 8), np.float32)
    with EngineProcess("executorch", pte, threads=3, cpus=[cpu]) as model:
        assert (model.inputs[0].dtype, model.inputs[0].shape) == ("float32", (1, 3, 8, 8))
        np.testing.assert_array_equal(model.run([image]).outputs[0], np.full((1, 4, 8, 8), 3.5, np.float32))
        assert model.sample([image], warmup=1, runs=2).threads == 3
        assert {
            frozenset(os.sched_getaffinity(int(task))) for task in os.listdir(f"/proc/{model.pid}/task")
        } == {frozenset({cpu})}


def test_executorch_refuses_a_damaged_file(pte, tmp_path):
    path = tmp_path / "broken.pte"
    path.write_bytes(pte.read_bytes()[:200])
    with pytest.raises(DeviceStableError, match=r"^broken.pte on executorch: ExecuTorch cannot load it"):
        EngineProcess("executorch", path)
