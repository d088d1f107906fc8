"""``edgekit runner`` builds for this machine and for others."""

import shutil
import subprocess

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.engines.native import build_for
from runtime.engines.native.build import cache_folder
from runtime.engines.native.libraries import fetch_libraries
from runtime.engines.native.runner import this_arch
from runtime.errors import DeviceStableError


@pytest.mark.usefixtures("runner")
def test_it_copies_a_runner_that_runs(tmp_path):
    done = CliRunner().invoke(cli, ["runner", "--out", str(tmp_path / "runner")])
    assert done.exit_code == 0, done.output
    program = tmp_path / "runner/edgekit-runner"
    assert str(program.parent) in done.output
    assert (
        "executorch"
        in subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    )
    again = CliRunner().invoke(cli, ["runner", "--out", str(tmp_path / "runner")])
    assert again.exit_code == 2
    assert "exists already" in again.output


def test_a_wheel_for_another_machine_is_refused(tmp_path):
    wheel = tmp_path / "executorch-1.5.1-cp311-cp311-win_amd64.whl"
    wheel.write_bytes(b"")
    done = CliRunner().invoke(cli, ["runner", "--executorch", str(wheel)])
    assert done.exit_code == 1
    assert "is not a wheel of executorch for Linux" in done.output


@pytest.mark.slow
@pytest.mark.skipif(this_arch() == "aarch64", reason="this machine is aarch64")
@pytest.mark.skipif(shutil.which("aarch64-linux-gnu-g++") is None, reason="no aarch64-linux-gnu-g++")
def test_it_builds_for_aarch64():
    try:
        fetch_libraries("aarch64", cache_folder())
    except DeviceStableError as err:
        pytest.skip(f"no ExecuTorch for it: {err}")
    built = build_for("aarch64")
    assert built.program.read_bytes()[18:20] == b"\xb7\x00"  # EM_AARCH64
    assert built.size_bytes < 20e6
