"""A 64-bit Arm userland gives this machine's outputs, with LiteRT and with the native ExecuTorch runner."""

from pathlib import Path

import numpy as np
import pytest

from runtime.engines import EngineProcess, random_inputs
from runtime.native.build import cache_folder
from tests.device.aarch64 import lacking, make_root, run_on_arm
from tests.runtime.tflite_builder import write_doubling_conv

DATA = Path(__file__).parents[1] / "runtime/data"


@pytest.fixture(scope="module")
def root():
    if (reason := lacking()) is not None:
        pytest.skip(f"no 64-bit Arm here: {reason}")
    try:
        return make_root(cache_folder() / "aarch64-root")
    except RuntimeError as err:
        pytest.skip(f"no 64-bit Arm here: {err}")


@pytest.mark.slow
def test_litert(root, tmp_path):
    path = write_doubling_conv(tmp_path / "double.tflite")
    compare(root, "litert", path, "aarch64 | ai-edge-litert 2.1.0")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sum.pte", "two.pte", "int8.pte"])
def test_the_native_executorch_runner(root, name):
    compare(root, "executorch", DATA / name, "aarch64 | executorch 1.5.1 native")


def compare(root, engine, path, who):
    with EngineProcess(engine, path, executorch="native") as model:
        inputs = [array.numpy() for array in random_inputs(model.inputs)]
        here = model.run(inputs).outputs
    there, told = run_on_arm(root, engine, path, inputs)
    assert told == who
    for ours, arms in zip(here, there, strict=True):
        assert ours.dtype == arms.dtype
        np.testing.assert_allclose(arms, ours, rtol=1e-5, atol=1e-5)
