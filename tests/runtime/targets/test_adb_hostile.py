"""A phone that lies: what it prints reaches no file, no shell and not all the memory of this machine."""

import pytest

from runtime.errors import DeviceStableError
from runtime.targets import open_target
from runtime.targets.adb import bounded
from runtime.targets.adb.conditions import AdbConditions
from runtime.targets.adb.shell import AdbShell
from tests.runtime.targets.fake_phone import FakePhones

pytest.importorskip("devlib", reason="pip install -e '.[lab]'")


@pytest.fixture
def phones(tmp_path, monkeypatch):
    return FakePhones(tmp_path, monkeypatch)


def put_program(phone, name, script):
    program = phone.path / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    "path",
    [
        "/sys/devices/system/cpu/../../../../../../../../../../{host}",
        "/sys/class/power_supply/../../../../../../../../../../{host}",
        "/sys/class/power_supply/../type",
        "/{host}",
        "../../../../../../../../{host}",
        "/sys/devices/system/cpu/cpufreq/policy0/scaling_\0",
        "/sys/devices/system/cpu/cpufreq/policy0/scaling_" + "x" * 5000,
        "/sys/devices/system/cpu/cpu0/cpu_capacity/cpu_capacity",
    ],
)
def test_only_files_that_were_asked_for_are_taken(phones, tmp_path, path):
    phone = phones.add("P6")
    host = tmp_path / "written"
    lie = f"@@ {path.format(host=str(host).lstrip('/'))}\nowned\n"
    (phone.path / "lie").write_text(lie)
    (phone.path / "thermal").write_text(lie)
    put_program(phone, "getprop", f"cat {phone.path}/lie")
    target = open_target("adb:P6")
    assert [cluster.name for cluster in target.profile.clusters] == ["little", "mid", "big"]
    now = AdbConditions(AdbShell("P6"), None, None, as_root=False).read()
    assert now.temp_c == 43.5
    assert not host.exists()


@pytest.mark.parametrize("flood", ["yes", "yes 1>&2"])
def test_a_phone_that_floods_is_given_up(phones, monkeypatch, flood):
    monkeypatch.setattr(bounded, "MOST_BYTES", 1 << 16)
    phone = phones.add("P6")
    shell = AdbShell("P6")
    adb = phones.folder.parent / "bin/adb"
    adb.write_text(f"#!/bin/sh\n{flood}\n")
    with pytest.raises(DeviceStableError, match=r"adb:P6: id: it answered with more than 65536 bytes"):
        shell.run("id")
    assert phone.root.exists()


@pytest.mark.parametrize("serial", ["P6;touch owned", "$(touch owned)", "-H", "P6\n", "a b", "x" * 200, "é"])
def test_a_serial_that_a_shell_would_read_is_refused(phones, serial):
    with pytest.raises(ValueError, match="cannot be a phone's"):
        open_target(f"adb:{serial}")
    assert phones.calls() == 0
