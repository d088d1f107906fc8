"""A program governed on a real emulated machine: its cores really change."""

import json

import pytest

FRAMES = """
import time
from runtime.govern.governor.client import Session
with Session(300.0, name="toy") as session:
    for _ in range(20):
        with session.frame():
            end_s = time.thread_time() + 0.002
            while time.thread_time() < end_s:
                pass
        time.sleep(0.005)
"""
GOVERN = """
import sys
from pathlib import Path
import msgspec
from runtime.govern.governor import govern_command, plan_for
from runtime.targets import open_target
run = govern_command(plan_for(open_target("local"), None, None), [sys.executable, "-c", sys.argv[1]],
                     log=Path(sys.argv[2]))
after = [p.read_text().strip() for p in Path("/sys/devices/system/cpu/cpufreq").glob("*/scaling_governor")]
print(msgspec.json.encode([run, after]).decode())
"""


@pytest.mark.slow
def test_a_program_is_slowed_as_far_as_its_target_allows_and_the_clocks_come_back(inside, tmp_path):
    run, after = json.loads(inside(GOVERN, FRAMES, str(tmp_path / "log"), python=True))
    assert after == ["schedutil", "schedutil"]
    assert (run["status"], run["sessions"], run["frames"]) == (0, 1, 20)
    assert run["provenance"] == "emulated"
    assert run["energy_mj"] > 0
    assert "emulated" in run["energy_source"]
    header, *lines = [json.loads(line) for line in (tmp_path / "log").read_bytes().splitlines()]
    assert header["provenance"] == "emulated"
    assert lines[0]["freq_khz"] == 2_000_000  # the fastest, to learn how much work a frame is
    assert lines[0]["cluster"] == "big"
    assert lines[-1]["energy_mj"] < lines[0]["energy_mj"] or lines[-1]["freq_khz"] < 2_000_000
    assert all(line["power_mw"] > 0 for line in lines if line["trusted"])


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--variable-load", "--max-queued=1"]])
def test_edgekit_govern_takes_the_emulated_machine_as_its_target(can_emulate, options):
    import subprocess
    import sys

    command = [sys.executable, "-m", "edgekit", "govern", "--target", "emulated:exynos5422", "--json"]
    command += options
    done = subprocess.run(
        [*command, "--", sys.executable, "-c", FRAMES], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert (run["target"], run["provenance"], run["frames"]) == ("emulated:exynos5422", "emulated", 20)
