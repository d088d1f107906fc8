"""`edgekit emulate` as the help writes it."""

import subprocess
import sys

import pytest

from runtime.device.emulation.namespace import probe


@pytest.mark.parametrize("dashes", [["--"], []])
def test_the_command_begins_with_or_without_dashes(dashes):
    ok, reason = probe()
    if not ok:
        pytest.skip(reason)
    command = ["emulate", "exynos5422", *dashes, "sh", "-c", "exit 7"]
    done = subprocess.run(
        [sys.executable, "-m", "edgekit", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 7, done.stderr
