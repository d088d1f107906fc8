"""A device behind a real sshd on loopback: log in, transfer, bench, run, restore, and lose the connection."""

import contextlib
import os
import signal
import subprocess
import threading
from pathlib import Path

import psutil
import pytest

from runtime.bundle import Bundle, Graph, Manifest, TensorSpec, Variant, new_bundle
from runtime.bundle.digest import file_sha256
from runtime.device.setting import Setting
from runtime.errors import DeviceStableError, DeviceTransientError
from runtime.govern.run.run import run_bundle
from runtime.measure.bench import bench
from runtime.measure.records import RecordLog
from runtime.targets import TargetName, open_target
from runtime.targets.restoring import restore_target
from runtime.targets.ssh import bounded
from runtime.targets.ssh.address import Address
from runtime.targets.ssh.target import reach
from tests.runtime.fake_device import cpufreq_files, wait_for
from tests.runtime.sshd import start_sshd, stop

SLOW, FAST = Setting("cpu", 300000, 1), Setting("cpu", 1803000, 1)
PHONE = TargetName.parse("ssh:phone")


@pytest.fixture
def bundle(tmp_path, tflite):
    spec = TensorSpec("x", "float32", (1, 8, 8, 4))
    with new_bundle(tmp_path / "double.edgekit") as writer:
        file = writer.add("double.tflite", tflite.read_bytes(), "model")
        variant = Variant("litert-fp32", "litert", "fp32", file)
        writer.finish(
            Manifest("double", "2026-01-01T00:00:00Z", {"forward": Graph((spec,), (spec,))}, (variant,))
        )
    return Bundle.open(tmp_path / "double.edgekit")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("root@board", Address("board", "root")),
        ("board:2222", Address("board", None, 2222)),
        ("me@[fe80::1]:22", Address("fe80::1", "me", 22)),
        ("phone", Address("phone")),
    ],
)
def test_addresses(text, address):
    assert Address.parse(text) == address


@pytest.mark.parametrize("text", ["", "a b", "x@y:port", "-oProxyCommand=x", "a:b:c"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="is not an address"):
        Address.parse(text)


def test_bench_and_run_on_a_device_that_has_no_bundle_yet(phone, bundle, tmp_path):
    before = cpufreq_files(phone)
    log = RecordLog(tmp_path / "records.jsonl")
    with open_target("ssh:phone") as target:
        assert (target.name, target.provenance) == ("ssh:phone", "measured")
        records = bench(bundle, target, settings=[SLOW, FAST], runs=3, warmup=0, blocks=1, log=log)
        assert {record.setting for record in records} == {SLOW, FAST}
        assert {(record.target, record.control_level) for record in log} == {("ssh:phone", "sysfs")}
        result = run_bundle(bundle, target, frames=4, fps=100)
        assert (result.target, result.frames) == ("ssh:phone", 4)
    assert cpufreq_files(phone) == before
    assert [path.name for path in (phone.home / "objects").iterdir()] == [bundle.manifest.files[0].sha256]


def test_a_connection_killed_in_mid_bench(phone, bundle, tmp_path):
    before = cpufreq_files(phone)
    log = RecordLog(tmp_path / "records.jsonl")
    plan = {"warmup": 0, "blocks": 1, "log": log}
    target = open_target("ssh:phone")
    bench(bundle, target, settings=[SLOW], runs=3, **plan)
    held = []

    def cut():
        held.append(wait_for(lambda: cpufreq_files(phone) != before, 60.0))
        phone.kill_sessions()

    threading.Timer(1.0, cut).start()
    with pytest.raises(DeviceTransientError, match=r"broke off during \w+; run it again to go on"):
        bench(bundle, target, settings=[FAST], runs=10_000_000, **plan)
    assert held == [True]
    assert len(list(log)) == 1
    assert wait_for(lambda: cpufreq_files(phone) == before)
    with open_target("ssh:phone") as target:
        assert len(bench(bundle, target, settings=[SLOW, FAST], runs=3, **plan)) == 2
    assert {record.setting for record in log} == {SLOW, FAST}


def test_an_agent_killed_outright_is_repaired_by_restore(phone, bundle):
    before = cpufreq_files(phone)
    target = open_target("ssh:phone")
    session = target.session(bundle, bundle.manifest.variant(), SLOW)
    session.__enter__()
    [agent] = [p for p in psutil.process_iter(["cmdline"]) if is_agent_of(p, phone)]
    agent.send_signal(signal.SIGKILL)
    agent.wait(10)
    with pytest.raises(DeviceTransientError, match="edgekit restore --target ssh:phone"):
        session.__exit__(None, None, None)
    assert cpufreq_files(phone) != before
    assert [done.action for done in restore_target("ssh:phone", dry_run=True)] == ["would restore"]
    assert cpufreq_files(phone) != before
    assert [done.action for done in restore_target("ssh:phone")] == ["restored"]
    assert cpufreq_files(phone) == before
    assert restore_target("ssh:phone") == []


def is_agent_of(process, phone):
    words = process.info["cmdline"] or []
    return "runtime.targets.agent" in words and process.environ().get("EDGEKIT_HOME") == str(phone.home)


def test_a_transfer_goes_on_where_it_broke_off(phone, tmp_path):
    size = 20_000_000  # more than the wire holds back unread
    file = tmp_path / "weights.bin"
    file.write_bytes(os.urandom(size))
    sha256 = file_sha256(file)

    def cut(name, done, total):
        if done > size / 2:
            phone.kill_sessions()

    with pytest.raises(
        DeviceTransientError, match=r"broke off while sending weights.bin; run it again to go on"
    ):
        reach(PHONE, cut).send(file, sha256)
    part = phone.home / f"objects/{sha256}.part"
    arrived = part.stat().st_size
    assert 0 < arrived < size
    again = reach(PHONE)
    place = again.send(file, sha256)
    assert again.sent_bytes == size - arrived
    assert Path(place).read_bytes() == file.read_bytes()
    assert not part.exists()
    third = reach(PHONE)
    assert third.send(file, sha256) == place
    assert third.sent_bytes == 0


@pytest.fixture(params=["", "Subsystem sftp /usr/lib/none/sftp-server"], ids=["refused", "no program"])
def plain_board(tmp_path, monkeypatch, request):
    """A board whose ssh server has no SFTP, as dropbear is built, or lacks the program that serves it."""
    board = start_sshd(tmp_path, sftp=request.param)
    monkeypatch.setenv("EDGEKIT_SSH_CONFIG", str(board.config))
    yield board
    stop(board)


def test_without_sftp_files_go_and_come_through_cat(plain_board, tmp_path):
    size = 20_000_000
    file = tmp_path / "weights $(id) ü.bin"
    file.write_bytes(os.urandom(size))
    sha256 = file_sha256(file)

    def cut(name, done, total):
        if done > size / 2:
            plain_board.kill_sessions()

    with pytest.raises(
        DeviceTransientError, match=r"broke off while sending weights .*run it again to go on"
    ):
        reach(PHONE, cut).send(file, sha256)
    assert wait_for(lambda: (plain_board.home / f"objects/{sha256}.part").stat().st_size > 0)
    again = reach(PHONE)
    place = again.send(file, sha256)
    assert again.sent_bytes < size
    assert Path(place).read_bytes() == file.read_bytes() == again.fetch(place)
    assert again.fetch(f"{plain_board.home}/none") is None
    assert [path.name for path in (plain_board.home / "objects").iterdir()] == [sha256]


def test_without_sftp_a_bench_runs(plain_board, bundle, tmp_path):
    with open_target("ssh:phone") as target:
        bench(bundle, target, settings=[SLOW], runs=3, blocks=1, log=RecordLog(tmp_path / "records.jsonl"))


def test_without_sftp_a_full_disk_is_told(plain_board, tmp_path):
    (plain_board.home / "objects").mkdir()
    (tmp_path / "weights.bin").write_bytes(os.urandom(3_000_000))
    with (
        small_disk(plain_board.home / "objects"),
        pytest.raises(DeviceStableError, match=r"does not take weights.bin .*No space left.* kB are free"),
    ):
        reach(PHONE).send(tmp_path / "weights.bin", file_sha256(tmp_path / "weights.bin"))


@pytest.mark.parametrize("sftp", ["internal-sftp", "/usr/lib/openssh/sftp-server"])
def test_a_shell_that_greets_whoever_logs_in_is_no_answer(tmp_path, monkeypatch, bundle, sftp):
    greeting = tmp_path / "greeting.sh"
    greeting.write_text("echo 'Welcome to the board'; echo 'warning: no lock for 60 seconds' >&2\n")
    board = start_sshd(tmp_path, variables={"BASH_ENV": str(greeting)}, sftp=f"Subsystem sftp {sftp}")
    monkeypatch.setenv("EDGEKIT_SSH_CONFIG", str(board.config))
    try:
        files = reach(PHONE)
        assert files.home == str(board.home)
        assert files.shell("echo out; echo err >&2") == "out\nerr\n"
        with pytest.raises(DeviceStableError, match=r"exit status 3: last words$"):
            files.shell("echo last words; exit 3")
        with open_target("ssh:phone") as target:
            log = RecordLog(tmp_path / "records.jsonl")
            bench(bundle, target, settings=[SLOW], runs=3, blocks=1, log=log)
    finally:
        stop(board)


@pytest.mark.parametrize("size", [1_000_000, 3_000_000, 4_000_000])
def test_a_damaged_part_starts_again(phone, tmp_path, size):
    file = tmp_path / "weights.bin"
    file.write_bytes(os.urandom(3_000_000))
    sha256 = file_sha256(file)
    (phone.home / "objects").mkdir()
    (phone.home / f"objects/{sha256}.part").write_bytes(os.urandom(size))
    place = reach(PHONE).send(file, sha256)
    assert Path(place).read_bytes() == file.read_bytes()


def test_an_object_that_rotted_is_found_and_sent_again(phone, tmp_path):
    file = tmp_path / "weights.bin"
    file.write_bytes(os.urandom(1000))
    sha256 = file_sha256(file)
    files = reach(PHONE)
    place = files.send(file, sha256)
    Path(place).write_bytes(bytes(1000))
    files.verify([sha256])
    assert Path(files.send(file, sha256)).read_bytes() == file.read_bytes()


@contextlib.contextmanager
def small_disk(folder):
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told(phone, tmp_path):
    (phone.home / "objects").mkdir()
    (tmp_path / "weights.bin").write_bytes(os.urandom(3_000_000))
    told = pytest.raises(DeviceStableError, match=r"does not take weights.bin .* kB are free")
    with small_disk(phone.home / "objects"), told:
        reach(PHONE).send(tmp_path / "weights.bin", file_sha256(tmp_path / "weights.bin"))


def test_an_unknown_host_is_refused(phone):
    (phone.folder / "known_hosts").write_text("")
    with pytest.raises(DeviceStableError, match=r"is not in .*known_hosts; connect once with `ssh phone`"):
        open_target("ssh:phone")


def test_a_changed_host_key_is_refused(phone):
    known = phone.folder / "known_hosts"
    name = known.read_text().split()[0]
    known.write_text(f"{name} {(phone.folder / 'user_key.pub').read_text()}")
    with pytest.raises(DeviceStableError, match=r"has changed .* ssh-keygen -R"):
        open_target("ssh:phone")


def test_a_key_that_is_not_let_in(phone):
    (phone.folder / "authorized_keys").write_text("")
    with pytest.raises(DeviceStableError, match=r"does not let us in .* ssh-copy-id"):
        open_target("ssh:phone")


def test_a_device_that_is_off(phone):
    phone.process.terminate()
    phone.process.wait(10)
    with pytest.raises(DeviceTransientError, match="cannot be reached") as caught:
        open_target("ssh:phone")
    assert "Errno None" not in str(caught.value)


def test_a_device_without_edgekit_names_the_command(phone):
    (phone.home / "runtime/bin/python").unlink()
    with pytest.raises(DeviceStableError, match="edgekit push BUNDLE --target ssh:phone"):
        open_target("ssh:phone")


def test_a_board_that_floods_or_never_ends_is_given_up(phone, monkeypatch):
    files = reach(PHONE)
    monkeypatch.setattr(bounded, "MOST_BYTES", 1 << 16)
    with pytest.raises(DeviceStableError, match="ssh:phone: it answered with more than 65536 bytes"):
        files.shell("yes")
    monkeypatch.setattr(bounded, "MOST_S", 0.5)
    with pytest.raises(DeviceTransientError, match="ssh:phone: the connection broke off"):
        files.shell("exec sleep 60")
    monkeypatch.setattr(bounded, "MOST_S", 60.0)
    with pytest.raises(DeviceStableError, match="ssh:phone: exit status 3: no such thing"):
        files.shell("echo no such thing >&2; exit 3")
    assert files.shell("printf 'a\\nb'") == "a\nb"
