import json

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.device.actuators import CpuFreq, Journal
from runtime.device.actuators.cpufreq import read_state
from runtime.device.soc import load_profile
from runtime.device.soc.tree import SocTree


@pytest.fixture
def policy(tmp_path, monkeypatch):
    """A clock that a killed process left at 400 MHz."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    tree = SocTree(load_profile("gs101"), tmp_path / "root")
    policy = CpuFreq(tree.root).domain_of([4]).path
    path = Journal().write(read_state(policy))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pid_started": 0.0}))
    (policy / "scaling_max_freq").write_text("400000\n")
    return policy


def limit(policy):
    return (policy / "scaling_max_freq").read_text().strip()


def test_a_dry_run_only_tells(policy):
    result = CliRunner().invoke(cli, ["restore", "--dry-run"])
    assert "would restore" in result.stdout
    assert limit(policy) == "400000"


def test_the_clock_is_put_back_once(policy):
    result = CliRunner().invoke(cli, ["restore", "--json"])
    assert json.loads(result.stdout)[0]["action"] == "restored"
    assert limit(policy) == "2253000"
    assert CliRunner().invoke(cli, ["restore"]).stderr == "nothing to restore\n"
