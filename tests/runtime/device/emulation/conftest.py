"""Emulated machines need Linux, root and a C compiler; their tests say what is missing and skip."""

import subprocess
import sys

import pytest

from runtime.device.emulation.namespace import probe


@pytest.fixture(scope="session")
def can_emulate():
    ok, reason = probe()
    if not ok:
        pytest.skip(reason)


@pytest.fixture
def start(can_emulate):
    """Start a command on an emulated exynos5422; everything is killed after the test."""
    started = []

    def start(*command, soc="exynos5422", **options):
        process = subprocess.Popen(
            [sys.executable, "-m", "runtime.device.emulation", soc, "--", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def inside(start):
    """Run a shell script or, with ``python=True``, a Python one inside; return its standard output."""

    def inside(script, *arguments, python=False, soc="exynos5422", status=0):
        interpreter = [sys.executable, "-c"] if python else ["sh", "-c"]
        process = start(*interpreter, script, *arguments, soc=soc)
        out, err = process.communicate(timeout=60)
        assert process.returncode == status, err
        return out

    return inside
