import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from runtime.device.actuators import Journal, journal, restore
from runtime.device.actuators.journal import PolicyState, default_folder
from runtime.errors import DataError, PermissionNeeded

STATE = PolicyState("/sys/devices/system/cpu/cpufreq/policy0", "schedutil", 300000, 1800000)


def test_what_is_written_is_read(tmp_path):
    path = Journal(tmp_path).write(STATE)
    [(found, entry)] = Journal(tmp_path).entries()
    assert (found, entry.state) == (path, STATE)
    assert entry.is_owner_alive
    assert entry.is_of_this_boot


def test_after_a_reboot_nothing_is_put_back(tmp_path, monkeypatch):
    path = Journal(tmp_path).write(STATE)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pid_started": 0.0, "boot_id": "another"}))
    assert [done.action for done in restore(Journal(tmp_path))] == [
        "nothing to do: the machine was restarted since"
    ]
    assert Journal(tmp_path).entries() == []


@pytest.mark.parametrize(
    "policy", ["/etc/passwd", "/sys/devices/system/cpu/cpufreq/../../policy0", "relative/policy0"]
)
def test_a_journal_can_only_write_clocks(tmp_path, policy):
    with pytest.raises(ValueError, match="it must be"):
        msgspec.structs.replace(STATE, policy=policy)
    path = Journal(tmp_path).write(STATE)
    path.write_text(path.read_text().replace(STATE.policy, policy))
    with pytest.raises(DataError, match="does not say what to restore"):
        restore(Journal(tmp_path))


def test_the_folder_follows_the_desktop_standard(monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/var/state")
    assert default_folder() == Path("/var/state/edgekit")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert default_folder() == Path.home() / ".local/state/edgekit"


def test_the_owner_is_known_by_its_start_not_only_its_number(tmp_path):
    Journal(tmp_path).write(STATE)
    [(_, entry)] = Journal(tmp_path).entries()
    assert not replace(entry, pid_started=entry.pid_started - 1).is_owner_alive
    assert not replace(entry, pid=2**22 + 1).is_owner_alive
    assert journal.read_boot_id() == entry.boot_id


def test_no_clock_is_changed_that_could_not_be_repaired(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PermissionNeeded, match="or set XDG_STATE_HOME"):
        Journal(tmp_path / "file").write(STATE)
