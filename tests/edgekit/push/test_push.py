"""``edgekit push`` to a device behind a real sshd, and the wheel it sends."""

import json
import os
import platform
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from edgekit.push import install
from edgekit.push.machine import Machine
from edgekit.push.packages import fetch, lock_line
from edgekit.push.wheel import pack, pack_runner
from runtime.bundle import Bundle
from runtime.engines import EngineProcess
from runtime.engines.native import Libraries, build
from runtime.errors import DataError
from runtime.measure.frame_log import read_log
from runtime.measure.records import RecordLog
from runtime.targets import open_target
from tests.edgekit.push.board import bare, invoke, run_there, succeed, write_bundle
from tests.edgekit.push.index import serve_index, skip_without_index
from tests.places import DATA, ROOT


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path, "litert")


@pytest.fixture
def bare_phone(tmp_path, monkeypatch):
    """A device with Python and nothing else."""
    with bare(tmp_path, monkeypatch) as phone:
        yield phone


def test_the_wheel_holds_the_packages_and_equal_files_give_equal_bytes(tmp_path):
    first, second = pack(tmp_path / "a"), pack(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    needed = {
        "runtime/targets/agent/__main__.py",
        "runtime/device/soc/profiles/gs101.toml",
        "edgekit/cli/push.py",
    }
    assert needed <= set(names)
    assert not [name for name in names if "__pycache__" in name]


def test_the_platforms_of_a_board():
    tags = Machine("/usr/bin/python3", "3.11", "aarch64", "2.31").platforms
    assert tags[0] == "manylinux_2_31_aarch64"
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(tags)
    assert "manylinux_2_34_aarch64" not in tags


def test_what_was_fetched_is_used_again_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    wheel, board = pack(tmp_path), Machine("python3", "3.11", "aarch64", "2.31")
    with pytest.raises(
        DataError, match=r"this machine \(not the device\) cannot reach a package index.*device is unchanged"
    ):
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


def test_the_runner_travels_as_a_wheel_that_pip_takes(runner, tmp_path):
    first, second = pack_runner(runner, tmp_path / "a"), pack_runner(runner, tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, f"--target={tmp_path / 'there'}", first], check=True)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path / 'there'}"}
    code = "from runtime.engines.native import find_runner; print(find_runner().runner.program)"
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert found.stdout.strip() == str(tmp_path / "there/edgekit_runner/edgekit-runner"), found.stderr
    assert subprocess.run([found.stdout.strip()], stdin=subprocess.DEVNULL).returncode == 0


def test_a_board_that_no_compiler_is_for_is_told_how_to_go_on(bare_phone, tmp_path, monkeypatch):
    monkeypatch.setattr(
        install, "read_machine", lambda files, python: Machine("python3", "3.11", "riscv64", "2.36")
    )
    monkeypatch.setattr(build, "fetch_libraries", lambda arch, folder: Libraries(tmp_path, "1.5.1", arch))
    monkeypatch.setattr(Libraries, "__post_init__", lambda self: None)
    result = invoke("push", str(write_bundle(tmp_path, "executorch")), "--target", "ssh:phone")
    assert result.exit_code == 1
    assert "apt install g++-riscv64-linux-gnu" in result.stderr
    assert result.stderr.strip().endswith("or leave ExecuTorch out: --engine litert")


@pytest.mark.slow
def test_an_offline_device_gets_everything_and_benches(bare_phone, bundle, tmp_path):
    skip_without_index(tmp_path)
    assert "edgekit push BUNDLE" in invoke("bench", str(bundle), "--target", "ssh:phone").stderr
    first = json.loads(succeed("push", str(bundle), "--target", "ssh:phone", "--offline", "--json").stdout)
    assert (first["runtime"]["was_there"], first["runtime"]["engines"]) == (False, ["litert"])
    assert first["runtime"]["size_mb"] <= 150
    packages = {pin.partition("==")[0] for pin in first["runtime"]["packages"]}
    assert {"numpy", "ai_edge_litert"} <= packages
    assert not {"torch", "scikit_learn", "devlib", "edgekit_runner"} & packages
    again = succeed("push", str(bundle), "--target", "ssh:phone", "--offline")
    assert "unchanged" in again.stdout
    assert "0 files" in again.stdout

    succeed("bench", str(bundle), "--target", "ssh:phone", "--runs", "3", "--blocks", "1", "--every", "8")
    [log] = (bundle / "records").iterdir()
    assert {record.target for record in RecordLog(log)} == {"ssh:phone"}
    # it is governed with what was measured there, by what was installed there
    succeed("bench", str(bundle), "--target", "ssh:phone", "--runs", "3", "--blocks", "1")
    succeed("tune", str(bundle), "--target", "ssh:phone", "--fps", "20")
    log = tmp_path / "frames.jsonl"
    words = ("--frames", "5", "--meter", "none", "--log", str(log))
    succeed("govern", str(bundle), "--target", "ssh:phone", *words)
    header, lines = read_log(log)
    assert (header.target, len(lines)) == ("ssh:phone", 5)
    # the device runs the bundle by itself too
    there = bare_phone.home / "bundles/small.edgekit"
    assert Bundle.open(there).manifest == Bundle.open(bundle).manifest
    done = run_there(bare_phone, "run", there, "--frames", "2")
    assert done.returncode == 0, done.stderr
    assert not list((bare_phone.home / "objects").glob("*.part"))


@pytest.mark.slow
def test_the_native_runner_comes_along_without_numpy(runner, bare_phone, tmp_path):
    skip_without_index(tmp_path)
    bundle = write_bundle(tmp_path, "executorch")
    pushed = json.loads(succeed("push", str(bundle), "--target", "ssh:phone", "--offline", "--json").stdout)
    assert pushed["runtime"]["engines"] == ["executorch"]
    assert pushed["runtime"]["size_mb"] <= 60
    packages = {pin.partition("==")[0] for pin in pushed["runtime"]["packages"]}
    assert packages == {"click", "edgekit_runner", "edgekit_toolkit", "msgspec", "psutil"}
    assert "unchanged" in succeed("push", str(bundle), "--target", "ssh:phone", "--offline").stdout

    succeed("bench", str(bundle), "--target", "ssh:phone", "--runs", "5", "--blocks", "1", "--every", "8")
    [log] = (bundle / "records").iterdir()
    assert {record.versions["engine"] for record in RecordLog(log)} == {"executorch 1.5.1 native"}
    x = np.random.default_rng(0).standard_normal((1, 3, 8, 8)).astype(np.float32)
    with open_target("ssh:phone") as target, EngineProcess("executorch", DATA / "sum.pte") as here:
        opened, setting = Bundle.open(bundle), target.settings()[0]
        with target.session(opened, opened.manifest.variant(), setting) as session:
            np.testing.assert_allclose(session.run([x]).outputs[0], here.run([x]).outputs[0], atol=1e-5)
    np.save(tmp_path / "x.npy", x)
    words = ("--input", str(tmp_path / "x.npy"), "--frames", "5", "--fps", "50", "--json")
    result = json.loads(succeed("run", str(bundle), "--target", "ssh:phone", *words).stdout)
    assert (result["frames"], result["fps_target"]) == (5, 50)
    done = run_there(bare_phone, "run", bare_phone.home / "bundles/small.edgekit", "--frames", "2")
    assert done.returncode == 0, done.stderr
    done = run_there(bare_phone, "restore")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_device_with_an_index_fetches_the_packages_itself(runner, tmp_path, monkeypatch):
    skip_without_index(tmp_path)
    bundle = write_bundle(tmp_path, "litert", "executorch")
    libc = platform.libc_ver()[1]
    here = Machine(sys.executable, f"3.{sys.version_info[1]}", platform.machine(), libc)
    wheels = fetch(pack(tmp_path), ["litert"], here).wheels
    with serve_index(wheels, tmp_path / "index") as index:
        variables = {"PIP_INDEX_URL": index.url, "PIP_CONFIG_FILE": os.devnull}
        with bare(tmp_path, monkeypatch, variables) as phone:
            pushed = json.loads(succeed("push", str(bundle), "--target", "ssh:phone", "--json").stdout)
            words = ("--variant", "executorch-fp32", "--runs", "5", "--blocks", "1", "--every", "8")
            succeed("bench", str(bundle), "--target", "ssh:phone", *words)
            assert run_there(phone, "--version").returncode == 0
    assert pushed["runtime"]["engines"] == ["litert", "executorch"]
    assert sorted(index.given) == sorted(w.name for w in wheels if not w.name.startswith("pip-"))
    sent = [name.partition("-")[0] for name in pushed["sent"] if name.endswith(".whl")]
    assert sorted(sent) == ["edgekit_runner", "edgekit_toolkit", "pip"]


@pytest.mark.slow
@pytest.mark.parametrize("extras", [[], ["litert"]])
def test_wheels_for_a_board_are_found_and_locked(tmp_path, monkeypatch, extras):
    skip_without_index(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lock = fetch(pack(tmp_path), extras, Machine("python3", "3.11", "aarch64", "2.31"))
    tags = {wheel.name.removesuffix(".whl").rpartition("-")[2] for wheel in lock.wheels}
    assert all(tag == "any" or "aarch64" in tag for tag in tags)
    assert any("aarch64" in tag for tag in tags)
    pinned = {line.partition("==")[0] for line in lock.path.read_text().splitlines()}
    assert {"click", "msgspec", "pip", "psutil"} <= pinned
    assert ({"ai_edge_litert", "numpy"} <= pinned) == (extras == ["litert"])
