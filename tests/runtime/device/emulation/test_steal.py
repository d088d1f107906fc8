"""The program that takes time away, on a real core. CPU time tells what was left, load or no load."""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime.device.emulation import steal
from runtime.device.emulation.cores import HostCores
from runtime.device.emulation.steal import Spinner, build, find_compiler, least_share
from runtime.errors import DeviceStableError

SPIN = "import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass\n"
SPIN += "print(time.process_time() / {seconds})"


@pytest.fixture
def spinner(can_emulate, tmp_path):
    spinner = Spinner(build(tmp_path), max(os.sched_getaffinity(0)))
    spinner.wait_ready()
    yield spinner
    spinner.close()


def run_s(pid):
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def test_the_program_is_built_once(tmp_path):
    if find_compiler() is None:
        pytest.skip("no C compiler")
    program = build(tmp_path)
    built_ns = program.stat().st_mtime_ns
    assert build(tmp_path) == program
    assert program.stat().st_mtime_ns == built_ns
    assert [path.name for path in tmp_path.iterdir()] == [program.name]
    assert subprocess.run([program], capture_output=True).returncode == 2


def test_without_a_compiler_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DeviceStableError, match="apt install gcc"):
        build(tmp_path)


def test_the_least_share_is_what_the_kernel_leaves(tmp_path):
    folder = tmp_path / "proc/sys/kernel"
    folder.mkdir(parents=True)
    (folder / "sched_rt_period_us").write_text("1000000\n")
    for runtime_us, share in ((900000, 0.1), (950000, 0.05), (-1, steal._FAIR_SERVER_SHARE)):
        (folder / "sched_rt_runtime_us").write_text(f"{runtime_us}\n")
        assert least_share(tmp_path) == pytest.approx(share)


@pytest.mark.parametrize("share", [0.5, 0.125])
def test_it_takes_the_share_it_is_told(spinner, share):
    """While somebody wants the core: alone, it sleeps through no time that it could take."""
    core = max(os.sched_getaffinity(0))
    spinner.keep(share)
    before_s, start_s = run_s(spinner.pid), time.monotonic()
    spin = [sys.executable, "-c", SPIN.format(seconds=1.0)]
    subprocess.run(spin, check=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}), capture_output=True)
    taken = (run_s(spinner.pid) - before_s) / (time.monotonic() - start_s)
    # A little less than 1 - share: what switching costs is taken from the sleeps.
    assert 0.85 * (1 - share) - 0.05 < taken <= 1 - share + 0.02


def test_a_new_share_counts_at_once_and_a_whole_core_costs_nothing(spinner):
    spinner.keep(0.25)
    time.sleep(0.1)
    spinner.keep(1.0)
    time.sleep(0.1)
    before_s = run_s(spinner.pid)
    time.sleep(0.2)
    assert run_s(spinner.pid) - before_s < 0.002
    with pytest.raises(ValueError, match="above 0"):
        spinner.keep(0.0)


def test_it_dies_with_its_owner(can_emulate, tmp_path):
    program = build(tmp_path)
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom runtime.device.emulation.steal import Spinner\n"
        "s = Spinner(Path(sys.argv[1]), 0, 1000)\ns.wait_ready()\ns.keep(0.5)\nprint(s.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, program], stdout=subprocess.PIPE, text=True)
    pid = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    deadline_s = time.monotonic() + 5
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert not os.path.exists(f"/proc/{pid}")


def test_one_machine_at_a_time_uses_a_core(can_emulate, tmp_path):
    program, core = build(tmp_path), max(os.sched_getaffinity(0))
    mine, other = (HostCores(program, [core], tmp_path) for _ in range(2))
    try:
        assert mine.claim(core)
        assert mine.claim(core)  # it is mine already
        assert not other.claim(core)
        mine.release(core)
        assert other.claim(core)
    finally:
        mine.close()
        other.close()


def test_a_core_that_has_to_be_measured_is_waited_for(can_emulate, tmp_path):
    core = max(os.sched_getaffinity(0))
    with (tmp_path / f"edgekit-core{core}.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waited = []

        def wait(host):
            waited.append(host)
            fcntl.flock(other, fcntl.LOCK_UN)

        HostCores(build(tmp_path), [core], tmp_path, wait).close()
    assert waited == [core]


def test_what_was_measured_is_kept_for_the_next_machine(can_emulate, tmp_path):
    program, core = build(tmp_path), max(os.sched_getaffinity(0))
    HostCores(program, [core], tmp_path).close()
    [lock] = tmp_path.glob("*.lock")
    lock.write_text(lock.read_text().rpartition(" ")[0] + " 12345")
    HostCores(program, [core], tmp_path).close()
    assert lock.read_text().endswith(" 12345")  # taken as it was, not measured again
