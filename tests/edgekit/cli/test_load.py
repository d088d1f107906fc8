"""Training on a machine that others use, too."""

import os
import subprocess
import sys
import time

import pytest

from edgekit.cli._load import PASSIVE, wait_asleep_if_busy, watch_others

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def stat(root, busy_ticks):
    (root / "proc").mkdir(exist_ok=True)
    lines = [f"cpu{cpu} {ticks} 0 0 1000 0 0 0 0 0 0" for cpu, ticks in enumerate(busy_ticks)]
    (root / "proc/stat").write_text("\n".join(lines) + "\n")


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Ask on a machine of two CPUs, of which others use so many seconds in one; torch is not loaded yet."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    messages = []

    def ask(busy_s, **environment):
        clock = iter([10.0, 11.0])
        monkeypatch.setattr(time, "monotonic", lambda: next(clock))
        stat(tmp_path, [0, 0])
        is_busy = wait_asleep_if_busy(
            messages.append,
            environment,
            tmp_path,
            look=lambda duration_s: stat(tmp_path, [round(busy_s * TICKS_PER_S), 0]),
        )
        # What this process itself used meanwhile is taken off: some ms on a busy machine.
        return is_busy, environment, [message.replace("49%", "50%") for message in messages]

    return ask


def test_beside_other_programs_threads_sleep_and_it_is_said(started):
    is_busy, environment, messages = started(1.0)
    assert (is_busy, environment) == (True, PASSIVE)
    assert messages == [
        "this machine is busy: other programs use 50% of its CPUs, steps take longer; "
        "threads that wait sleep meanwhile"
    ]


def test_a_machine_of_its_own_is_left_as_it_is(started):
    assert started(0.1) == (False, {}, [])


def test_what_the_user_has_set_stays(started):
    is_busy, environment, messages = started(1.0, OMP_WAIT_POLICY="ACTIVE")
    assert (is_busy, environment) == (True, {"OMP_WAIT_POLICY": "ACTIVE"})
    assert messages == ["this machine is busy: other programs use 50% of its CPUs, steps take longer"]


def test_load_that_comes_later_is_told_once(tmp_path):
    messages, busy_s, ticks = [], iter([0, 15, 0, 15, 30]), [0]

    def look(duration_s):
        ticks[0] += next(busy_s) * TICKS_PER_S
        stat(tmp_path, [ticks[0], 0])
        time.sleep(0.05)

    stat(tmp_path, [0, 0])
    watch_others(messages.append, tmp_path, look).join(10)
    assert messages == [
        "this machine has become busy: other programs use 100% of its CPUs, steps take longer; "
        "stop the run and continue it with --resume to let threads that wait sleep"
    ]


def test_the_command_looks_before_torch_is_loaded():
    code = (
        "import sys\n"
        "import edgekit.cli.train as command\n"
        "def look(on_message):\n"
        "    print('torch' in sys.modules)\n"
        "    raise SystemExit\n"
        "command.heed_others = look\n"
        "command.train(['mobilenet_v2', '--data', 'digits'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr
