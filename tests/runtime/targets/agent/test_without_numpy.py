"""A device that has no numpy: bundles run there in the native runner, and give the host's outputs."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from runtime.bundle import Bundle, Graph, Manifest, Variant, new_bundle
from runtime.device.setting import Setting
from runtime.engines import EngineProcess, random_inputs
from runtime.errors import MissingExtra
from runtime.extras import install_line
from runtime.govern.run.run import run_bundle
from runtime.measure.bench import bench
from runtime.measure.profiling.profile import profile
from runtime.measure.records import RecordLog
from runtime.targets.agent.link import ProcessConnection
from runtime.targets.agent.target import AgentTarget, SameDisk
from tests.places import DATA
from tests.runtime.fake_device import cpufreq_files, environment, hide_packages, make_device

SLOW = Setting("cpu", 300000, 1)


@pytest.fixture
def bare(tmp_path, runner):
    """The environment of a device with the native runner and without numpy."""
    device = make_device(tmp_path)
    ours = environment(device)
    paths = {"PYTHONPATH": f"{hide_packages(tmp_path)}{os.pathsep}{ours['PYTHONPATH']}"}
    return device, ours | paths | {"EDGEKIT_NATIVE_RUNNER": str(runner.folder)}


@pytest.fixture
def target(bare):
    _, variables = bare
    target = AgentTarget(
        "test:bare", ProcessConnection([sys.executable, "-m", "runtime.targets.agent"], variables), SameDisk()
    )
    yield target
    target.close()


def make_bundle(folder, name):
    with EngineProcess("executorch", DATA / name, executorch="native") as model:
        graph = Graph(model.inputs, model.outputs)
    with new_bundle(folder / "sum.edgekit") as writer:
        file = writer.add("sum.pte", (DATA / name).read_bytes(), "model")
        variant = Variant("executorch-fp32", "executorch", "fp32", file)
        writer.finish(Manifest("sum", "2026-01-01T00:00:00Z", {"forward": graph}, (variant,)))
    return Bundle.open(folder / "sum.edgekit")


@pytest.mark.parametrize("name", ["sum.pte", "two.pte", "int8.pte"])
def test_outputs_are_those_of_the_host(target, tmp_path, name):
    bundle = make_bundle(tmp_path, name)
    with EngineProcess("executorch", DATA / name, executorch="native") as model:
        inputs = random_inputs(model.inputs, seed=3)
        here = model.run(inputs).outputs
    with target.session(bundle, bundle.manifest.variant(), SLOW) as session:
        there = session.run([array.numpy() for array in inputs]).outputs
        made_up = session.run().outputs
    for ours, theirs, others in zip(here, there, made_up, strict=True):
        np.testing.assert_array_equal(theirs, ours)
        assert (others.dtype, others.shape) == (ours.dtype, ours.shape)


def test_its_ops_are_told(target, tmp_path):
    told = profile(make_bundle(tmp_path, "sum.pte"), target=target, runs=4)
    assert told.version.endswith("native")
    assert {op.source for op in told.ops} == {"XNNPACK profiler"}


def test_it_is_benched_and_serves_frames(bare, target, tmp_path):
    bundle, (device, _) = make_bundle(tmp_path, "sum.pte"), bare
    before = cpufreq_files(device)
    log = RecordLog(tmp_path / "records.jsonl")
    (record,) = bench(bundle, target, settings=[SLOW], runs=5, blocks=1, log=log)
    assert record.versions["engine"].endswith("native")
    image = np.ones((1, 3, 8, 8), np.float32)
    np.save(tmp_path / "x.npy", image)
    result = run_bundle(bundle, target, inputs=[tmp_path / "x.npy"], frames=4, fps=200)
    assert (result.frames, len(result.predictions)) == (4, 1)
    assert cpufreq_files(device) == before
    assert target.restore() == []


@pytest.mark.parametrize(
    ("words", "shows"),
    [
        (["bench", "BUNDLE", "--runs", "5", "--blocks", "1"], "executorch-fp32"),
        (["run", "BUNDLE", "--frames", "3", "--fps", "200"], "median"),
        (["inspect", "BUNDLE"], "executorch-fp32"),
        (["restore"], ""),
        (["targets"], "virtual:gs101"),
    ],
)
def test_its_own_command_line_works(bare, tmp_path, words, shows):
    bundle, (_, variables) = make_bundle(tmp_path, "sum.pte"), bare
    command = [str(bundle.path) if word == "BUNDLE" else word for word in words]
    done = subprocess.run(
        [sys.executable, "-m", "edgekit", *command],
        env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert shows in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["run", "BUNDLE", "--input", "x.npy"],
            f"Error: numpy is not installed; run: {install_line('images')}",
        ),
        (["fit", "BUNDLE"], f"Error: numpy is not installed; run: {install_line('predict')}"),
    ],
)
def test_what_needs_numpy_says_what_to_install(bare, tmp_path, words, message):
    bundle, (_, variables) = make_bundle(tmp_path, "sum.pte"), bare
    np.save(tmp_path / "x.npy", np.ones((1, 3, 8, 8), np.float32))
    command = [str(bundle.path) if word == "BUNDLE" else word for word in words]
    done = subprocess.run(
        [sys.executable, "-m", "edgekit", *command],
        env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (1, message)


def test_a_litert_file_names_the_package_it_lacks(target, tflite):
    from runtime.engines.model_file import open_bundle_or_model

    bundle = open_bundle_or_model(tflite)
    with (
        pytest.raises(MissingExtra, match=re.escape(install_line("litert"))),
        target.session(bundle, bundle.manifest.variant(), SLOW),
    ):
        pass
