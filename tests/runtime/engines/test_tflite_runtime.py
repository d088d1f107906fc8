"""The older ``tflite_runtime``, in a venv of its own: boards have it whose LiteRT is the last there is."""

import json
import os
import subprocess
import sys
import venv

import numpy as np
import pytest

from runtime.engines import EngineProcess
from runtime.engines.tflite_age import too_new
from runtime.errors import DeviceStableError
from tests.places import ROOT
from tests.runtime.tflite_builder import write_doubling_conv, write_int8, write_summing_net

RUN = """
import json, os, sys
import numpy as np
from runtime.engines import EngineProcess
from runtime.errors import DeviceError
path, threads = sys.argv[1], int(sys.argv[2])
try:
    with EngineProcess("litert", path, threads=threads, cpus=[min(os.sched_getaffinity(0))]) as model:
        x = np.load(path + ".npy")
        y = model.run([x]).outputs[0]
        np.save(path + ".out.npy", y)
        seen = model.sample([x], warmup=2, runs=3).threads
        tasks = os.listdir(f"/proc/{model.pid}/task")
        pins = {tuple(os.sched_getaffinity(int(task))) for task in tasks}
        print(json.dumps({"version": model.version, "threads": seen, "tasks": len(tasks), "pins": len(pins)}))
except DeviceError as err:
    print(json.dumps({"error": str(err)}))
"""


@pytest.fixture(scope="module")
def old_python(tmp_path_factory):
    if sys.version_info[:2] != (3, 11):
        pytest.skip(f"tflite-runtime has no wheel for Python {sys.version_info[0]}.{sys.version_info[1]}")
    folder = tmp_path_factory.mktemp("old") / "venv"
    venv.create(folder, with_pip=True)
    packages = ["tflite-runtime", "numpy<2", "psutil", "msgspec"]
    done = subprocess.run(
        [folder / "bin/python", "-m", "pip", "install", "--quiet", *packages],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"pip cannot install tflite-runtime here: {done.stderr[-200:]}")
    return folder / "bin/python"


def run(python, path, threads=1):
    done = subprocess.run(
        [python, "-c", RUN, path, str(threads)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_float_model_runs_with_its_threads_pinned(old_python, tmp_path, threads):
    path = write_doubling_conv(tmp_path / "double.tflite", side=64, channels=32)
    x = np.random.default_rng(0).standard_normal((1, 64, 64, 32)).astype(np.float32)
    np.save(f"{path}.npy", x)
    told = run(old_python, path, threads)
    assert told == {"version": "tflite-runtime 2.14.0", "threads": threads, "tasks": threads, "pins": 1}
    np.testing.assert_allclose(np.load(f"{path}.out.npy"), 2 * x, rtol=1e-6)


@pytest.mark.slow
def test_kernels_outside_the_delegate_have_a_pool_of_their_own_that_takes_turns(old_python, tmp_path):
    path = write_summing_net(tmp_path / "summing.tflite")
    np.save(f"{path}.npy", np.ones((1, 48, 48, 16), np.float32))
    assert run(old_python, path, 2)["threads"] == 2


@pytest.mark.slow
def test_an_int8_model_gives_the_newer_interpreters_outputs(old_python, tmp_path):
    path = tmp_path / "int8.tflite"
    weights, scales = write_int8(path)
    x = np.random.default_rng(1).integers(-128, 128, (1, 8, 8, 16)).astype(np.int8)
    np.save(f"{path}.npy", x)
    assert run(old_python, path)["version"].startswith("tflite-runtime")
    found = np.load(f"{path}.out.npy").astype(int)
    sums = (x.astype(int) + 128) @ weights.T.astype(int)
    np.testing.assert_allclose(found, np.clip(np.round(sums * 0.02 * scales / 0.05) + 3, -128, 127), atol=1)
    with EngineProcess("litert", path) as model:
        np.testing.assert_allclose(found, model.run([x]).outputs[0].astype(int), atol=1)


@pytest.mark.slow
def test_a_model_that_is_too_new_is_refused_with_the_op_and_its_version(old_python, tmp_path):
    write_int8(tmp_path / "new.tflite", version=99)
    assert (
        "needs CONV_2D version 99, which this LiteRT has not"
        in run(old_python, tmp_path / "new.tflite")["error"]
    )
    write_int8(tmp_path / "fc.tflite", "FULLY_CONNECTED", version=5)
    error = run(old_python, tmp_path / "fc.tflite")["error"]
    assert (
        "too new for tflite-runtime 2.14.0: op 0, FULLY_CONNECTED, has int8 weights with a scale per ch"
        in error
    )
    assert "pip install" in error


def test_scales_per_channel_of_a_fully_connected_layer_are_found_in_the_file(tmp_path):
    path = tmp_path / "x.tflite"
    write_int8(path, "FULLY_CONNECTED", version=5)
    assert "FULLY_CONNECTED" in too_new(path)
    write_int8(path, "FULLY_CONNECTED", version=5, scales=[0.003])
    assert too_new(path) is None
    write_int8(path)
    assert too_new(path) is None
    for damage in (b"", b"TFL3", b"\xff" * 60, path.read_bytes()[:300]):
        path.write_bytes(damage)
        assert too_new(path) is None


def test_the_interpreters_own_refusal_names_op_and_version(tmp_path):
    write_int8(tmp_path / "new.tflite", version=99)
    with pytest.raises(
        DeviceStableError, match=r"it needs CONV_2D version 99, which this LiteRT has not: inst"
    ):
        EngineProcess("litert", tmp_path / "new.tflite")
