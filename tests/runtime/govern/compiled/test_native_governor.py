"""The governor in C on a fake /sys: what it sets, that it restores it, and that a kill can be repaired."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from runtime.choose.decision import DecisionTable
from runtime.choose.decision.controller import Controller
from runtime.device.actuators import CpuFreq, Journal, restore
from runtime.device.actuators.states import PolicyState
from runtime.device.soc.tree import SocTree
from runtime.errors import DeviceTransientError
from tests.runtime.govern.compiled.compiled import (
    ARM_CC,
    ARM_RUN,
    build_governor,
    emit_toy,
    needs_arm,
    needs_make,
)
from tests.runtime.phone import BIG, LITTLE, PROFILE

WAIT_S = 60  # far beyond what any step takes: only a hang reaches it
IN_TIME_MS = 2.8  # of the first row, so that it stays
CPUS_OF_BIG = PROFILE.cluster("big").cpus
BOTH = ("schedutil", "userspace")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((), id="host", marks=needs_make),
        pytest.param((ARM_RUN,), id="aarch64", marks=[needs_arm, pytest.mark.slow]),
    ],
)
def governor(request, tmp_path_factory):
    """The policy of the toy phone for 200 FPS, and the command that governs by it."""
    # Its little cores cost so little here that patient frames run on them: the CPUs that every machine has.
    thrifty = replace(LITTLE, opps=tuple(replace(opp, power_mw=opp.power_mw / 2) for opp in LITTLE.opps))
    profile = replace(PROFILE, clusters=(thrifty, BIG))
    policy, emitted = emit_toy(tmp_path_factory.mktemp("emitted"), fps=200, profile=profile)
    program = build_governor(emitted, *([f"CC={ARM_CC}"] if request.param else []))
    return policy, [*request.param, str(program)]


class Running:
    """A governor at work; the first row is set once it is made."""

    def __init__(self, command, tree, journal, *options):
        self.process = subprocess.Popen(
            [*command, "--root", str(tree.root), "--state", str(journal.folder), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.rows = [self.read_row()]

    def read_row(self):
        line = self.process.stdout.readline()
        assert line.startswith("row "), line + self.process.stderr.read()
        return dict(re.findall(r"(\w+) (\S+)", line))

    def send(self, *lines):
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def end(self):
        """Close its input; returns the rows it changed to since, its messages and its status."""
        shown, said = self.process.communicate(timeout=WAIT_S)
        return [dict(re.findall(r"(\w+) (\S+)", line)) for line in shown.splitlines()], said


@contextmanager
def running(governor, tree, journal, *options):
    one = Running(governor[1], tree, journal, *options)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate(timeout=WAIT_S)


@pytest.fixture
def phone(tmp_path):
    return SocTree(PROFILE, tmp_path / "root", BOTH), Journal(tmp_path / "journal")


def state(tree):
    """Return what a governor may change, per clock; a speed counts only where userspace runs."""
    shown = {}
    for policy in tree.policies:
        governor, low, high, speed = (
            (policy / f"scaling_{name}").read_text().strip()
            for name in ("governor", "min_freq", "max_freq", "setspeed")
        )
        shown[policy.name] = (governor, low, high, speed if governor == "userspace" else None)
    return shown


def wait_until(holds):
    until_s = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < until_s, "it never happened"
        time.sleep(0.01)


def in_python(policy, slowdowns):
    """Return frames so many times slower than in the table, and the rows of Python's governor."""
    table = DecisionTable.from_policy(policy)
    controller = Controller(table, policy.deadline_ms)
    frames_ms, rows = [], [controller.decide(0.0).row]
    for slowdown in slowdowns:
        assert rows[-1] is not None, "the clock is back with the kernel: time would count from here on"
        frames_ms.append(table.rows[rows[-1]].latency_ms * slowdown)
        controller.observe(frames_ms[-1], rows[-1], 0.0)
        rows.append(controller.decide(0.0).row)
    changed = [row for i, row in enumerate(rows) if i == 0 or row != rows[i - 1]]
    return frames_ms, ["-1" if row is None else str(row) for row in changed]


def test_it_sets_what_python_decides_and_restores_it(governor, phone):
    tree, journal = phone
    before = state(tree)
    jitter = random.Random(0)
    levels = [1.0] * 20 + [1.3] * 20 + [1.9] * 60 + [0.9] * 120
    frames_ms, expected = in_python(governor[0], [level * jitter.uniform(0.97, 1.06) for level in levels])
    with running(governor, tree, journal) as one:
        first = one.rows[0]
        held = state(tree)[f"policy{first['cpus'].partition(',')[0]}"]
        assert (held[0], held[3]) == ("userspace", first["freq_khz"])
        assert len(journal.entries()) == 2
        one.send(*frames_ms)
        rows, said = one.end()
    assert [row["row"] for row in [first, *rows]] == expected
    assert len(expected) > 4
    assert f"{len(frames_ms)} frames" in said
    assert one.process.returncode == 0
    assert state(tree) == before
    assert journal.entries() == []


def test_where_the_table_is_not_true_the_kernel_chooses(governor, phone):
    tree, journal = phone
    before = state(tree)
    frames_ms, expected = in_python(governor[0], [10.0, 15.0, 23.0, 34.0])
    assert expected[-1] == "-1"
    with running(governor, tree, journal) as one:
        one.send(*frames_ms)
        assert [one.read_row()["row"] for _ in expected[1:]] == expected[1:]
        assert state(tree) == before
        assert len(journal.entries()) == 2  # it may come back
        one.end()
    assert state(tree) == before


def test_without_userspace_it_narrows_the_limits(governor, tmp_path):
    tree, journal = SocTree(PROFILE, tmp_path / "root", ("schedutil",)), Journal(tmp_path / "journal")
    before = state(tree)
    with running(governor, tree, journal) as one:
        now, freq_khz = state(tree), one.rows[0]["freq_khz"]
        assert ("schedutil", freq_khz, freq_khz, None) in now.values()
        assert len(set(now.items()) - set(before.items())) == 1  # the other cluster is left alone
        one.end()
    assert state(tree) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_restores_the_clocks(governor, phone, number):
    tree, journal = phone
    before = state(tree)
    with running(governor, tree, journal) as one:
        assert state(tree) != before
        one.process.send_signal(number)
        assert one.process.wait(WAIT_S) == 128 + number
    assert state(tree) == before
    assert journal.entries() == []


def test_after_a_kill_restore_brings_the_clocks_back(governor, phone):
    tree, journal = phone
    before = state(tree)
    with running(governor, tree, journal) as one:
        one.process.kill()
        one.process.wait(WAIT_S)
    assert state(tree) != before
    assert {done.action for done in restore(journal)} == {"restored"}
    assert state(tree) == before


def test_while_it_runs_restore_leaves_it_alone(governor, phone):
    tree, journal = phone
    if governor[1][0] == ARM_RUN:
        pytest.skip("qemu-user shows a start time of its own in /proc/self/stat")
    with running(governor, tree, journal) as one:
        assert {done.action.partition(":")[0] for done in restore(journal)} == {"left alone"}
        one.end()


def test_its_next_start_restores_what_kills_left(governor, phone):
    tree, journal = phone
    before = state(tree)
    for _ in range(2):
        with running(governor, tree, journal) as one:
            one.process.kill()
            one.process.wait(WAIT_S)
    with running(governor, tree, journal) as one:
        _, said = one.end()
    assert "left changed by a run that was killed; restored to schedutil" in said
    assert state(tree) == before
    assert journal.entries() == []


def test_it_repairs_what_a_killed_python_left(governor, phone):
    tree, journal = phone
    before = state(tree)
    hold = (
        "import sys, os, signal; from pathlib import Path\n"
        "from runtime.device.actuators import CpuFreq, Journal\n"
        "freq = CpuFreq(Path(sys.argv[1]), journal=Journal(Path(sys.argv[2])))\n"
        "with freq.hold(freq.domain_of([0]), 500000): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    tree.settle()
    (tree.cpu_dir / "cpufreq/policy0/scaling_cur_freq").write_text("500000\n")  # no kernel follows
    done = subprocess.run([sys.executable, "-c", hold, tree.root, journal.folder], check=False)
    assert done.returncode == -signal.SIGKILL
    assert state(tree) != before
    with running(governor, tree, journal) as one:
        one.end()
    assert state(tree) == before
    assert journal.entries() == []


def test_one_run_per_clock(governor, phone):
    tree, journal = phone
    freq = CpuFreq(tree.root, journal=journal, settle=tree.settle)
    with running(governor, tree, journal) as one:
        with pytest.raises(DeviceTransientError, match="held by another run"):
            freq.hold(freq.domain_of([0]), 500000).__enter__()
        second = subprocess.run(
            [*governor[1], "--root", str(tree.root), "--state", str(journal.folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert "is held by another run; wait for it to end, or stop it" in second.stderr
        one.end()


def test_a_clock_that_others_keep_changing_is_left_to_the_kernel(governor, phone):
    tree, journal = phone
    before = state(tree)
    with running(governor, tree, journal) as one:
        policy = tree.cpu_dir / f"cpufreq/policy{one.rows[0]['cpus'].partition(',')[0]}"
        for _ in range(3):
            (policy / "scaling_governor").write_text("schedutil\n")
            one.send(IN_TIME_MS)
            wait_until(lambda: (policy / "scaling_governor").read_text().strip() == "userspace")
        (policy / "scaling_governor").write_text("schedutil\n")
        one.send(IN_TIME_MS)
        assert one.read_row()["held"] == "lost"
        assert state(tree) == before
        one.send(500.0, 500.0)
        rows, said = one.end()
    assert {row["held"] for row in rows} == {"lost"}
    assert "was not kept 4 times; it is left to the kernel" in said
    assert state(tree) == before


def test_caps_and_deadlines_take_effect_at_once(governor, phone):
    tree, journal = phone
    policy, _ = governor
    table = DecisionTable.from_policy(policy)
    with running(governor, tree, journal) as one:
        one.send("deadline 0.001")
        assert int(one.read_row()["row"]) == table.decide(0.001)
        one.send("cap_khz big 800000")
        assert int(one.read_row()["row"]) == table.decide(0.001, max_freq_khz={"big": 800_000})
        one.send("cap_khz big inf", "cap_mw 60")
        one.read_row()
        assert int(one.read_row()["row"]) == table.decide(0.001, max_power_mw=60.0)
        one.end()


def test_what_is_no_command_is_named_and_changes_nothing(governor, phone):
    tree, journal = phone
    bad = ["", "nan", "-1", "0", "1e999", "12 13", "cap_mw", "cap_mw -1", "cap_mw nan", "cap_khz huge 5"]
    bad += ["deadline 0", "x" * 100_000, *["nonsense"] * 50]
    with running(governor, tree, journal) as one:
        one.send(*bad, "deadline 0.001")
        rows, said = one.end()
    assert len(rows) == 1
    assert "'cap_khz huge 5' is no command; see --help" in said
    assert "a line is longer than 255 characters; left out" in said
    assert f"0 frames, 0 late, {len(bad) - 1} commands not understood" in said
    assert said.count("nonsense") == 0  # after ten it only counts


def test_a_table_of_another_device_is_refused(governor, phone):
    tree, journal = phone
    clocks = tree.cpu_dir / "cpufreq/policy2/scaling_available_frequencies"
    clocks.write_text(clocks.read_text().replace("2400000", "2500000"))
    before = state(tree)
    with pytest.raises(AssertionError, match="has no clock of 2400000 kHz: the table is for another device"):
        Running(governor[1], tree, journal)
    assert state(tree) == before
    (tree.cpu_dir / "cpufreq/policy2/scaling_governor").unlink()
    with pytest.raises(AssertionError, match=r"no clock for CPU 2 below .*is this the device of the table"):
        Running(governor[1], tree, journal)
    assert journal.entries() == []


def test_a_clock_that_cannot_be_set_ends_it_with_nothing_changed(governor, phone):
    tree, journal = phone
    before = state(tree)
    for policy in tree.policies:
        (policy / "scaling_setspeed").unlink()
    with pytest.raises(AssertionError, match=r"cannot write .*scaling_setspeed"):
        Running(governor[1], tree, journal)
    for policy in tree.policies:
        (policy / "scaling_setspeed").write_text("<unsupported>\n")
    assert state(tree) == before
    assert journal.entries() == []


def test_dry_run_writes_nothing(governor, phone):
    tree, journal = phone
    before = state(tree)
    with running(governor, tree, journal, "--dry-run") as one:
        assert one.rows[0]["held"] == "no"
        assert state(tree) == before
        assert not journal.folder.exists()
        one.end()


@contextmanager
def client(tmp_path, server):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(str(tmp_path / f"client{len(list(tmp_path.glob('client*')))}"))
        one.connect(str(server))
        one.settimeout(WAIT_S)
        yield one


def test_frames_by_datagram_are_answered(governor, phone, tmp_path):
    tree, journal = phone
    server = tmp_path / "socket"
    with running(governor, tree, journal, "--socket", str(server)) as one:
        assert server.stat().st_mode & 0o777 == 0o600
        with client(tmp_path, server) as frames:
            frames.send(str(IN_TIME_MS).encode())
            assert frames.recv(4096).startswith(f"row {one.rows[0]['row']} held yes ".encode())
            frames.send(b"rubbish " * 1000)
            frames.send(b"500")
            assert frames.recv(4096) != b""
        second = subprocess.run(
            [*governor[1], "--dry-run", "--root", str(tree.root), "--socket", str(server)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert "is served by another process" in second.stderr
        one.process.kill()
        one.process.wait(WAIT_S)
    assert server.exists()
    with running(governor, tree, journal, "--socket", str(server)) as one:  # the stale one is replaced
        with client(tmp_path, server) as frames:
            frames.send(str(IN_TIME_MS).encode())
            assert frames.recv(4096).startswith(b"row ")
        one.process.terminate()
        one.process.wait(WAIT_S)
    assert not server.exists()


def test_two_rows_share_a_frame_of_a_program_that_says_when_it_begins(governor, phone, tmp_path):
    tree, journal = phone
    table = DecisionTable.from_policy(governor[0])
    server = tmp_path / "socket"
    with running(governor, tree, journal, "--socket", str(server)) as one:
        with client(tmp_path, server) as frames:

            def ask(line):
                frames.send(line.encode())
                return dict(re.findall(r"(\w+) (\S+)", frames.recv(4096).decode()))

            ask("deadline 6")
            for _ in range(60):
                row = table.rows[int(ask("begin")["row"])]
                answer = ask(f"{row.latency_ms}")
                if "then" in answer:
                    break
            first, then = (table.rows[int(answer[name])] for name in ("row", "then"))
            assert first.latency_ms > 6 > then.latency_ms
            assert first.power_mw < then.power_mw
            ask("begin 5.9")
            folder = tree.cpu_dir / f"cpufreq/policy{PROFILE.cluster(then.setting.cluster).cpus[0]}"
            speed = folder / "scaling_setspeed"
            wait_until(lambda: speed.read_text().strip() == str(then.setting.freq_khz))
            assert "then" in ask("5.8")
        one.process.terminate()
        one.process.wait(WAIT_S)


def test_threads_are_moved_to_the_cluster_and_let_go(governor, phone):
    tree, journal = phone
    if not {0, 1} <= os.sched_getaffinity(0):
        pytest.skip("this process may not run on CPUs 0 and 1")
    with subprocess.Popen(["sleep", "1000"]) as worker:
        try:
            os.sched_setaffinity(worker.pid, {0})
            with running(governor, tree, journal, "--pid", str(worker.pid), "--deadline-ms", "1000") as one:
                assert one.rows[0]["cluster"] == "little"
                assert os.sched_getaffinity(worker.pid) == {0, 1}
                one.end()
            assert os.sched_getaffinity(worker.pid) == {0}
        finally:
            worker.kill()


def test_threads_that_cannot_all_move_stay_and_the_row_says_so(governor, phone):
    tree, journal = phone
    code = (
        "import threading, time\n"
        "[threading.Thread(target=time.sleep, args=(60,)).start() for _ in range(3)]\n"
        "print(flush=True)"
    )
    if not {0, 1} <= os.sched_getaffinity(0) or (os.cpu_count() or 1) > min(CPUS_OF_BIG):
        pytest.skip("needs CPUs 0 and 1, and none of the toy phone's big cluster")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as worker:
        try:
            worker.stdout.readline()
            with running(governor, tree, journal, "--pid", str(worker.pid), "--deadline-ms", "1000") as one:
                assert "moved" not in one.rows[0]
                one.send("deadline 0.5", 2.8)
                row = one.read_row()
                assert (row["cluster"], row["moved"]) == ("big", "no")
                threads = [int(tid) for tid in os.listdir(f"/proc/{worker.pid}/task")]
                assert [os.sched_getaffinity(tid) for tid in threads] == [{0, 1}] * 4
        finally:
            worker.kill()


def test_the_help_and_the_table_s_origin_are_shown(governor):
    about = subprocess.run([*governor[1], "--about"], capture_output=True, text=True, check=True).stdout
    assert "Target: virtual:toy (Toy)" in about
    assert f"sha256 {governor[0].model_sha256}" in about
    shown = subprocess.run([*governor[1], "--fps", "x"], capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stderr.count("allowed: a number above 0")) == (2, 1)


def test_notes_are_written_as_python_writes_them(governor, phone):
    tree, journal = phone
    with running(governor, tree, journal) as one:
        entries = {entry.state.thing: entry for _, entry in journal.entries()}
        for policy in tree.policies:
            entry = entries[str(policy)]
            low, high = (int((policy / f"cpuinfo_{end}_freq").read_text()) for end in ("min", "max"))
            assert entry.state == PolicyState(str(policy), "schedutil", low, high)
            assert entry.is_of_this_boot
        one.end()


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_what_is_no_dead_socket_is_never_removed(governor, phone, tmp_path, options):
    tree, journal = phone
    regular, link, folder = tmp_path / "regular", tmp_path / "link", tmp_path / "folder"
    regular.write_text("mine")
    link.symlink_to(regular)
    folder.mkdir()
    command = [*governor[1], *options, "--root", str(tree.root), "--state", str(journal.folder), "--socket"]
    for place in (regular, link, folder):
        done = subprocess.run([*command, str(place)], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert f"{place} is there and is no socket; give another path" in done.stderr
    assert regular.read_text() == "mine"
    with socket.socket(socket.AF_UNIX) as stream:  # of another type than ours, and served
        stream.bind(str(tmp_path / "stream"))
        stream.listen()
        done = subprocess.run(
            [*command, str(tmp_path / "stream")], capture_output=True, text=True, check=False
        )
        assert "is served by another process" in done.stderr
    assert (tmp_path / "stream").is_socket()


def test_only_its_own_socket_is_removed_at_the_end(governor, phone, tmp_path):
    tree, journal = phone
    server = tmp_path / "socket"
    with running(governor, tree, journal, "--socket", str(server)) as one:
        server.unlink()
        server.write_text("another's")
        one.process.terminate()
        one.process.wait(WAIT_S)
    assert server.read_text() == "another's"
