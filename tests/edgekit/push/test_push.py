"""``edgekit push`` to a device behind a real sshd, and the wheel it sends."""

import json
import os
import subprocess
import sys
import zipfile

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.push.machine import Machine
from edgekit.push.packages import fetch, lock_line
from edgekit.push.wheel import pack
from runtime.bundle import Bundle, Graph, Manifest, TensorSpec, Variant, new_bundle
from runtime.errors import DataError
from runtime.records import RecordLog
from tests.runtime.sshd import start_sshd, stop
from tests.runtime.tflite_builder import write_doubling_conv


def invoke(*words):
    result = CliRunner().invoke(cli, words)
    assert "Traceback" not in result.output, result.output
    return result


def succeed(*words):
    result = invoke(*words)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def bundle(tmp_path):
    tflite = write_doubling_conv(tmp_path / "double.tflite")
    spec = TensorSpec("x", "float32", (1, 8, 8, 4))
    with new_bundle(tmp_path / "double.edgekit") as writer:
        file = writer.add("model/double.tflite", tflite.read_bytes(), "model")
        variant = Variant("litert-fp32", "litert", "fp32", file)
        labels = writer.add("labels.txt", b"a\nb\n", "labels")
        graphs = {"forward": Graph((spec,), (spec,))}
        writer.finish(Manifest("double", "2026-01-01T00:00:00Z", graphs, (variant,), labels=labels))
    return tmp_path / "double.edgekit"


@pytest.fixture
def bare_phone(tmp_path, monkeypatch):
    """A device with Python and nothing else."""
    phone = start_sshd(tmp_path, with_runtime=False)
    monkeypatch.setenv("EDGEKIT_SSH_CONFIG", str(phone.config))
    yield phone
    stop(phone)


def test_the_wheel_holds_the_packages_and_equal_files_give_equal_bytes(tmp_path):
    first, second = pack(tmp_path / "a"), pack(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    assert {"runtime/agent/__main__.py", "runtime/soc/profiles/gs101.toml", "edgekit/cli/push.py"} <= set(
        names
    )
    assert not [name for name in names if "__pycache__" in name]


def test_the_platforms_of_a_board():
    tags = Machine("/usr/bin/python3", "3.11", "aarch64", "2.31").platforms
    assert tags[0] == "manylinux_2_31_aarch64"
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(tags)
    assert "manylinux_2_34_aarch64" not in tags


def test_what_was_fetched_is_used_again_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    wheel, board = pack(tmp_path), Machine("python3", "3.11", "aarch64", "2.31")
    with pytest.raises(DataError, match=r"no wheels for Python 3.11 on aarch64 with glibc 2.31"):
        fetch(wheel, ["litert"], board)
    assert list((tmp_path / "cache/edgekit/wheels").iterdir()) == []


def test_a_lock_line_is_what_pip_reads(tmp_path):
    (tmp_path / "numpy-2.4.6-cp311-cp311-linux_aarch64.whl").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    line = lock_line(tmp_path / "numpy-2.4.6-cp311-cp311-linux_aarch64.whl")
    assert line == f"numpy==2.4.6 --hash=sha256:{empty}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target", "local"], "cannot be pushed to; give ssh:user@host"),
        (["--target", "ssh:phone", "--engine", "onnx"], "choose from: litert"),
        ([], "Missing option '--target'"),
    ],
)
def test_bad_arguments_are_usage_errors(bundle, words, message):
    result = invoke("push", str(bundle), *words)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.slow
def test_an_offline_device_gets_everything_and_benches(bare_phone, bundle, tmp_path):
    if subprocess.run(
        [sys.executable, "-m", "pip", "download", "--no-deps", "-qd", tmp_path, "click"]
    ).returncode:
        pytest.skip("the package index cannot be reached")
    assert "edgekit push BUNDLE" in invoke("bench", str(bundle), "--target", "ssh:phone").stderr
    first = json.loads(succeed("push", str(bundle), "--target", "ssh:phone", "--offline", "--json").stdout)
    assert (first["runtime"]["was_there"], first["runtime"]["engines"]) == (False, ["litert"])
    assert first["runtime"]["size_mb"] <= 350
    packages = {pin.partition("==")[0] for pin in first["runtime"]["packages"]}
    assert {"numpy", "ai_edge_litert"} <= packages
    assert not {"torch", "scikit_learn", "devlib"} & packages
    again = succeed("push", str(bundle), "--target", "ssh:phone", "--offline")
    assert "was there already" in again.stdout
    assert "0 files" in again.stdout

    succeed("bench", str(bundle), "--target", "ssh:phone", "--runs", "3", "--blocks", "1", "--every", "8")
    [log] = (bundle / "records").iterdir()
    assert {record.target for record in RecordLog(log)} == {"ssh:phone"}
    # the device runs the bundle by itself too
    there = bare_phone.home / "bundles/double.edgekit"
    assert Bundle.open(there).manifest == Bundle.open(bundle).manifest
    done = subprocess.run(
        [bare_phone.home / "bin/edgekit", "run", there, "--frames", "2"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not list((bare_phone.home / "objects").glob("*.part"))
