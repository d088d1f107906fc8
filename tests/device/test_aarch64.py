"""A 64-bit Arm userland gives this machine's outputs, with LiteRT and with the native ExecuTorch runner."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgekit.push.machine import Machine
from edgekit.push.packages import fetch
from edgekit.push.wheel import pack, pack_runner
from runtime.bundle import Bundle, Graph, Manifest, Variant, new_bundle
from runtime.device.setting import Setting
from runtime.engines import EngineProcess, random_inputs
from runtime.engines.native import build_for
from runtime.engines.native.build import cache_folder
from runtime.targets.agent.link import ProcessConnection
from runtime.targets.agent.target import AgentTarget
from tests.device.aarch64 import inside, lacking, make_root, run_on_arm
from tests.edgekit.push.index import skip_without_index
from tests.places import DATA
from tests.runtime.tflite_builder import write_doubling_conv


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


class Exchange:
    """Puts files of bundles where the root has them."""

    def __init__(self, root):
        self.folder = root / "exchange"

    def place(self, bundle, paths):
        self.folder.mkdir(exist_ok=True)
        for path in paths:
            shutil.copy(bundle.file(path), self.folder / Path(path).name)
        return {path: f"/exchange/{Path(path).name}" for path in paths}


@pytest.mark.slow
def test_what_push_installs_serves_bundles_without_numpy(root, tmp_path):
    """The very wheels of ``edgekit push``, in a root that then has nothing else, behind the agent."""
    skip_without_index(tmp_path)
    machine = Machine("/usr/bin/python3", "3.11", "aarch64", "2.36")
    locked = [w for w in fetch(pack(tmp_path), [], machine).wheels if not w.name.startswith("pip-")]
    wheels = [pack(tmp_path), pack_runner(build_for("aarch64"), tmp_path), *locked]
    shutil.rmtree(root / "opt/pushed", ignore_errors=True)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
    platforms = [f"--platform={tag}" for tag in machine.platforms]
    where = ["--python-version=3.11", *platforms, f"--target={root / 'opt/pushed'}"]
    subprocess.run([*install, *where, *wheels], check=True)
    assert not (root / "opt/pushed/numpy").exists()

    with EngineProcess("executorch", DATA / "sum.pte", executorch="native") as model:
        inputs = random_inputs(model.inputs, seed=5)
        here = model.run(inputs).outputs[0]
        graph = Graph(model.inputs, model.outputs)
    with new_bundle(tmp_path / "sum.edgekit") as writer:
        file = writer.add("sum.pte", (DATA / "sum.pte").read_bytes(), "model")
        variant = Variant("executorch-fp32", "executorch", "fp32", file)
        writer.finish(Manifest("sum", "2026-01-01T00:00:00Z", {"forward": graph}, (variant,)))
    bundle = Bundle.open(tmp_path / "sum.edgekit")
    agent = ["/usr/bin/env", "PYTHONPATH=/opt/pushed", "/usr/bin/python3", "-m", "runtime.targets.agent"]
    with AgentTarget("qemu", ProcessConnection(inside(root, *agent)), Exchange(root)) as target:
        assert target.machine.versions["machine"] == "aarch64"
        setting = Setting(target.profile.clusters[0].name, None, 1)
        with target.session(bundle, variant, setting) as session:
            ran = session.run_paced([inputs], frames=3, fps=None)
            assert session.versions["engine"] == "executorch 1.5.1 native"
    np.testing.assert_allclose(ran.outputs[0].numpy(), here, rtol=1e-5, atol=1e-5)
    assert len(ran.latencies_ms) == 3


def compare(root, engine, path, who):
    with EngineProcess(engine, path, executorch="native") as model:
        inputs = [array.numpy() for array in random_inputs(model.inputs)]
        here = model.run(inputs).outputs
    there, told = run_on_arm(root, engine, path, inputs)
    assert told == who
    for ours, arms in zip(here, there, strict=True):
        assert ours.dtype == arms.dtype
        np.testing.assert_allclose(arms, ours, rtol=1e-5, atol=1e-5)
